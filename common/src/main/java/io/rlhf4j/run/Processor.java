package io.rlhf4j.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The parts of a processor's description on which the choice of kernels, and so the bits, depend. */
final class Processor {
    private static final List<String> DECISIVE = List.of(
            "avx2",
            "fma",
            "avx512f",
            "avx512bw",
            "avx512vl",
            "avx512_bf16",
            "avx512_vnni",
            "amx_tile",
            "amx_bf16",
            "asimd",
            "sve",
            "bf16");

    private Processor() {}

    /** Architecture and vector extensions, for example {@code amd64 avx2 avx512f avx512_bf16}. */
    static String features() {
        String architecture = System.getProperty("os.arch");
        try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            List<String> flags = lines.filter(line -> line.startsWith("flags") || line.startsWith("Features"))
                    .findFirst()
                    .map(line -> Arrays.asList(line.split("\\s+")))
                    .orElse(List.of());
            return Stream.concat(Stream.of(architecture), DECISIVE.stream().filter(flags::contains))
                    .collect(Collectors.joining(" "));
        } catch (IOException e) {
            // Only Linux has the file; elsewhere the architecture has to do.
            return architecture;
        }
    }
}
