package io.rlhf4j.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A restarted executor is a cold JVM: what it computes must not differ from what a hot one does. */
class SameBitsTest {
    @Test
    void anInterpretedAndAHotJvmComputeTheSameBits() throws IOException {
        Map<String, Long> interpreted = inAnotherJvm("-Xint");
        CpuBackend backend = new CpuBackend(2);
        Map<String, Long> hot = BitsProbe.hashes(backend);
        for (int round = 0; round < BitsProbe.ROUNDS_UNTIL_HOT; round++) {
            assertThat(BitsProbe.hashes(backend)).as("round %d", round).isEqualTo(hot);
        }
        assertThat(interpreted).isEqualTo(hot).hasSizeGreaterThan(80);
    }

    @Test
    void loadsByAddressAndFromBuffersGiveTheSameBits() throws IOException {
        assertThat(LaneHandles.BY_ADDRESS).as("tests read by buffers").isFalse();
        Map<String, Long> byAddress =
                inAnotherJvm("--add-exports=java.base/jdk.internal.vm.vector=ALL-UNNAMED", "repeat");
        assertThat(byAddress).isEqualTo(BitsProbe.hashes(new CpuBackend(2)));
    }

    private static Map<String, Long> inAnotherJvm(String option, String... arguments) throws IOException {
        String java = System.getProperty("java.home") + File.separator + "bin" + File.separator + "java";
        String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        List<String> command = new ArrayList<>(List.of(
                java, option, "--add-modules", "jdk.incubator.vector", "-cp", classPath, BitsProbe.class.getName()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        Map<String, Long> hashes = new LinkedHashMap<>();
        for (String line : output.split("\n")) {
            if (line.startsWith("bits ")) {
                int end = line.lastIndexOf(' ');
                hashes.put(
                        line.substring(5, end),
                        Long.valueOf(line.substring(end + 1).trim()));
            }
        }
        assertThat(hashes).as(output).isNotEmpty();
        return hashes;
    }
}
