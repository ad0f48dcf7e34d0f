package io.rlhf4j.deploy.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs by spark-submit, in both deploy modes, with executors of one core. */
@Tag("cluster")
class StandaloneClusterTest {
    private static final Duration LIMIT = Duration.ofMinutes(4);
    private static final List<String> SMALL =
            List.of("--driver-memory", "600m", "--executor-memory", "512m", "--executor-cores", "1");

    @TempDir
    private static Path folder;

    private static StandaloneCluster cluster;

    @BeforeAll
    static void start() throws IOException, InterruptedException {
        cluster = new StandaloneCluster(folder);
        cluster.addWorker(3, "3g");
    }

    @AfterAll
    static void stop() {
        if (cluster != null) {
            cluster.close();
        }
    }

    @Test
    void clientModeNeedsNoJarButTheDriversAndGivesTheWeightsOfLocalMode() throws Exception {
        Path config = config("client", 1);
        try (Jvm submit = cluster.sparkSubmit(
                "client",
                with("client", "--total-executor-cores", "2"),
                List.of("sft", "--config", config.toString()))) {
            assertThat(submit.exitCode(LIMIT)).as(submit.text()).isZero();
        }
        Path local = config("local", 1);
        try (Jvm tool = cluster.tool("local", "sft", "--config", local.toString())) {
            assertThat(tool.exitCode(LIMIT)).as(tool.text()).isZero();
        }
        assertThat(weights("client")).isEqualTo(weights("local"));
    }

    @Test
    void inClusterModeTheExitCodeIsWaitedFor() throws Exception {
        Path config = config("cluster", 1);
        try (Jvm submit = cluster.submit(
                "cluster",
                with("cluster", "--total-executor-cores", "1"),
                List.of("sft", "--config", config.toString()))) {
            assertThat(submit.exitCode(LIMIT)).as(submit.text()).isZero();
        }
        try (Jvm wait =
                cluster.tool("wait", "wait", folder.resolve("runs/cluster").toString(), "--timeout", "180")) {
            assertThat(wait.exitCode(LIMIT)).as(wait.text()).isZero();
            assertThat(wait.text()).contains("sft: done");
        }
        assertThat(weights("cluster")).isNotEmpty();
    }

    private static List<String> with(String mode, String... more) {
        List<String> options = new java.util.ArrayList<>(List.of("--deploy-mode", mode));
        options.addAll(SMALL);
        options.addAll(List.of(more));
        return options;
    }

    private static byte[] weights(String run) throws IOException {
        return Files.readAllBytes(folder.resolve("runs/%s/export/sft/model.safetensors".formatted(run)));
    }

    private static Path config(String name, int ranks) throws IOException {
        Path rows = Files.write(
                folder.resolve("demonstrations.jsonl"),
                IntStream.range(0, 40)
                        .mapToObj(
                                "{\"prompt\": \"What is %1$d plus one?\", \"response\": \"It is one more than %1$d.\"}"
                                        ::formatted)
                        .toList());
        Path model = Path.of("..", "driver", "src", "test", "resources", "tiny", "llama")
                .toAbsolutePath()
                .normalize();
        return Files.writeString(
                folder.resolve(name + ".yaml"),
                """
                name: %s
                folder: %s
                models: {actor: "%s"}
                compute: {backend: cpu, micro_batch_tokens: 256}
                cluster: {ranks: %d, threads: 1, attempts: 1}
                checkpoints: {every_steps: 3}
                data:
                  chat: never
                  sources:
                    - {path: "%s", steps: [sft], held_out: 0.2}
                sft: {epochs: 4, max_steps: 10, batch_size: 8, optimizer: {learning_rate: 1.0e-2}}
                """
                        .formatted(name, folder.resolve("runs"), model, ranks, rows));
    }
}
