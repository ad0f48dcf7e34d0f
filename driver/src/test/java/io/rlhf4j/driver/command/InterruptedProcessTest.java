package io.rlhf4j.driver.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.driver.Main;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** A process of its own gets the signal that Ctrl-C sends. */
@EnabledOnOs({OS.LINUX, OS.MAC})
class InterruptedProcessTest {
    @TempDir
    Path folder;

    @Test
    void controlCEndsTheProcessWith130() throws IOException, InterruptedException {
        Path log = folder.resolve("log");
        Process process = start(log, "bench", "generate", "--model", "tiny", "--new", "1500", "--repeats", "1000");
        try {
            // The line of JSON comes last, so wait until the backend has computed: the process uses processor time.
            awaitProcessorTime(process, Duration.ofSeconds(3));
            assertThat(new ProcessBuilder("kill", "-" + StopSignal.name(), Long.toString(process.pid()))
                            .start()
                            .waitFor())
                    .isZero();
            assertThat(process.waitFor(40, TimeUnit.SECONDS)).isTrue();
        } finally {
            process.destroyForcibly();
        }
        assertThat(process.exitValue()).as(Files.readString(log)).isEqualTo(130);
        assertThat(Files.readString(log))
                .contains("stopping (Ctrl-C again stops at once)")
                .doesNotContain("\tat ");
    }

    private static Process start(Path log, String... arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(option -> option.startsWith("--add-") || option.startsWith("-XX:+Ignore"))
                .forEach(command::add);
        command.addAll(
                List.of("-Xmx512m", "-cp", System.getProperty("java.class.path").replace(";", File.pathSeparator)));
        command.add(Main.class.getName());
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
    }

    private static void awaitProcessorTime(Process process, Duration enough) throws InterruptedException {
        Instant limit = Instant.now().plusSeconds(60);
        while (process.info().totalCpuDuration().orElse(enough).compareTo(enough) < 0) {
            assertThat(Instant.now()).isBefore(limit);
            assertThat(process.waitFor(100, TimeUnit.MILLISECONDS)).isFalse();
        }
    }
}
