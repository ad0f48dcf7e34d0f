package io.rlhf4j.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** What {@code bin/rlhf4j} would run; nothing is built and no JVM of ours is started. */
@EnabledOnOs({OS.LINUX, OS.MAC})
class LaunchScriptTest {
    private static final Path SCRIPT = Path.of("bin", "rlhf4j").toAbsolutePath();

    @TempDir
    Path elsewhere;

    private record Outcome(int exitCode, String text) {}

    private Outcome run(Path script, Map<String, String> environment, String... arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("bash", script.toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(elsewhere.toFile()).redirectErrorStream(true);
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().putAll(environment);
        Process process = builder.start();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        return new Outcome(process.exitValue(), text);
    }

    @Test
    void helpNamesTheWaysToRun() throws Exception {
        Outcome outcome = run(SCRIPT, Map.of(), "--help");
        assertThat(outcome.exitCode()).isZero();
        assertThat(outcome.text()).contains("Usage: rlhf4j", "--dry-run", "--submit", "RLHF4J_HEAP");
    }

    @Test
    void withoutACommandItIsBadConfiguration() throws Exception {
        assertThat(run(SCRIPT, Map.of()).exitCode()).isEqualTo(2);
    }

    @Test
    void aDryRunShowsTheCommandLine() throws Exception {
        Map<String, String> environment =
                Map.of("RLHF4J_HEAP", "3g", "RLHF4J_MEMORY", "5g", "RLHF4J_JAVA_OPTIONS", "-Da=b -Dc=d");
        Outcome outcome = run(SCRIPT, environment, "--dry-run", "plan", "--config", "my run.yaml");

        assertThat(outcome.exitCode()).isZero();
        assertThat(outcome.text())
                .contains("-Xmx3072m", "-Dorg.bytedeco.javacpp.maxbytes=5368709120", "-Da=b -Dc=d")
                .contains("jvm.options", "io.rlhf4j.driver.Main plan --config my\\ run.yaml");
    }

    @Test
    void theHeapIsCollectedSeriallyUnlessAnotherCollectorIsNamed() throws Exception {
        assertThat(run(SCRIPT, Map.of(), "--dry-run", "plan").text()).contains("-XX:+UseSerialGC");
        Map<String, String> environment = Map.of("RLHF4J_JAVA_OPTIONS", "-XX:+UseG1GC");
        assertThat(run(SCRIPT, environment, "--dry-run", "plan").text())
                .contains("-XX:+UseG1GC")
                .doesNotContain("-XX:+UseSerialGC");
    }

    @Test
    void hadoopsOwnSettingsAreFoundWhereTheEnvironmentNamesThem() throws Exception {
        Map<String, String> environment = Map.of("HADOOP_CONF_DIR", "/etc/hadoop/conf");
        assertThat(run(SCRIPT, environment, "--dry-run", "plan").text()).contains(" -cp /etc/hadoop/conf:");
        assertThat(run(SCRIPT, Map.of("HADOOP_CONF_DIR", ""), "--dry-run", "plan")
                        .text())
                .doesNotContain(" -cp :");
    }

    @Test
    void aLinkToTheScriptWorks() throws Exception {
        Path link = Files.createSymbolicLink(elsewhere.resolve("rlhf4j"), SCRIPT);
        assertThat(run(link, Map.of(), "--dry-run", "plan").text())
                .contains(SCRIPT.getParent()
                        .getParent()
                        .resolve("target/rlhf4j/lib")
                        .toString());
    }

    @Test
    void aWrongAmountOfMemoryIsRefused() throws Exception {
        Outcome outcome = run(SCRIPT, Map.of("RLHF4J_HEAP", "lots"), "--dry-run", "plan");
        assertThat(outcome.exitCode()).isEqualTo(2);
        assertThat(outcome.text()).contains("'lots' is no amount of memory");
    }

    @Test
    void submittingGoesThroughSparkSubmit() throws Exception {
        Outcome outcome = run(
                SCRIPT, Map.of("SPARK_HOME", "/opt/spark"), "--dry-run", "--submit", "--master", "yarn", "--", "ppo");
        assertThat(outcome.text())
                .contains(
                        "/opt/spark/bin/spark-submit --driver-java-options",
                        "--master yarn --class io.rlhf4j.driver.Main")
                .contains("io.rlhf4j.driver.Main --jars");
        assertThat(run(SCRIPT, Map.of(), "--dry-run", "--submit", "plan").exitCode())
                .isEqualTo(2);
    }
}
