package io.rlhf4j.driver.command;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The signal by which a test stops a run: that of Ctrl-C. A process that a shell starts in the background ignores it, and
 * so do its children; there it is that of {@code kill}, which means the same to a run.
 */
final class StopSignal {
    private static final int INT = 2;
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final String IGNORED = "SigIgn:";

    private StopSignal() {}

    /** Its name without SIG. */
    static String name() {
        return ignored(INT) ? "TERM" : "INT";
    }

    private static boolean ignored(int signal) {
        if (!Files.isReadable(STATUS)) {
            return false;
        }
        try {
            return Files.readAllLines(STATUS).stream()
                    .filter(line -> line.startsWith(IGNORED))
                    .map(line -> line.substring(IGNORED.length()).strip())
                    .anyMatch(mask -> (Long.parseUnsignedLong(mask, 16) >> (signal - 1) & 1) == 1);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }
}
