package io.rlhf4j.run.lease;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What makes a process one of a kind: the boot of its machine, its space of process numbers, its number and when it began. Who
 * reads it on the same machine can tell for certain whether that process has ended. On Linux; elsewhere there is no mark.
 */
final class ProcessMark {
    private static final Path BOOT = Path.of("/proc/sys/kernel/random/boot_id");
    /** Of what follows the name in {@code /proc/<number>/stat}: the state, and the time of its beginning. */
    private static final int STATE = 0;

    private static final int BEGIN = 19;

    private ProcessMark() {}

    /** The mark of a process of this machine; empty where there is none. */
    static String of(long process) {
        return space().flatMap(space -> begin(process).map(begin -> "%s %d %s".formatted(space, process, begin)))
                .orElse("");
    }

    /** Whether the process with that mark was one of this machine and has ended. */
    static boolean hasEnded(String mark) {
        String[] parts = mark == null ? new String[0] : mark.split(" ", -1);
        if (parts.length != 4) {
            return false;
        }
        boolean here = space().filter((parts[0] + " " + parts[1])::equals).isPresent();
        return here && begin(Long.parseLong(parts[2])).filter(parts[3]::equals).isEmpty();
    }

    private static Optional<String> space() {
        try {
            String numbers =
                    Files.readSymbolicLink(Path.of("/proc/self/ns/pid")).toString();
            return Optional.of(Files.readString(BOOT).strip() + " " + numbers);
        } catch (IOException | UnsupportedOperationException notLinux) {
            return Optional.empty();
        }
    }

    /** In ticks since the boot; empty for a process that is not there, or ended and waits for its parent to look. */
    private static Optional<String> begin(long process) {
        try {
            String stat = Files.readString(Path.of("/proc", Long.toString(process), "stat"));
            // The name stands in parentheses and may hold anything.
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
            boolean ended = fields[STATE].equals("Z") || fields[STATE].equals("X");
            return ended ? Optional.empty() : Optional.of(fields[BEGIN]);
        } catch (IOException gone) {
            return Optional.empty();
        }
    }
}
