package io.rlhf4j.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The memory of this process, as the operating system counts it. */
public final class ProcessMemory {
    private static final Pattern PEAK = Pattern.compile("VmHWM:\\s+(\\d+) kB");

    private ProcessMemory() {}

    /** The most physical memory that this process has had, in bytes; empty where the system does not tell (not Linux). */
    public static OptionalLong residentPeak() {
        try {
            Matcher peak = PEAK.matcher(Files.readString(Path.of("/proc/self/status")));
            return peak.find() ? OptionalLong.of(Long.parseLong(peak.group(1)) << 10) : OptionalLong.empty();
        } catch (IOException noSuchFile) {
            return OptionalLong.empty();
        }
    }
}
