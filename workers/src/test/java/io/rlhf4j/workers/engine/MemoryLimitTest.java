package io.rlhf4j.workers.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.rlhf4j.format.ElementType;
import io.rlhf4j.hub.ModelDirectory;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.workers.TinyModels;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * A model whose weights, gradients and moments take 112 MiB, in JVMs that may have 80 MiB for tensors: weights and gradients
 * are half of it.
 */
@DisabledOnOs(OS.WINDOWS)
class MemoryLimitTest {
    private static final String LIMIT = "80m";

    @TempDir
    private static Path folder;

    private static Path model;
    private static List<String> unlimited;

    @BeforeAll
    static void trainWithoutLimit() throws Exception {
        model = sevenMillionParameters();
        assertThat(train("unlimited", "1g", 0, "memory", 1)).containsExactly(0);
        unlimited = losses("unlimited", 0);
    }

    @Test
    void itDoesNotFitAndTheRankSaysSo() throws Exception {
        assertThat(train("refused", LIMIT, 0, "memory", 1)).containsExactly(LimitedRank.NO_MEMORY);
        assertThat(Files.readString(folder.resolve("refused/log-0")))
                .contains("no memory for tensors", "83,886,080 allowed", "cluster.zero", "cluster.offload");
    }

    @Test
    void withMomentsOnDiskItTrainsTheSameBits() throws Exception {
        assertThat(train("disk", LIMIT, 0, "disk", 1)).containsExactly(0);
        assertThat(losses("disk", 0)).isEqualTo(unlimited);
        assertThat(weights("disk")).isEqualTo(weights("unlimited"));
    }

    @Test
    void cutAmongThreeRanksItTrainsTheSameButForRounding() throws Exception {
        assertThat(train("cut", LIMIT, 3, "memory", 3)).containsExactly(0, 0, 0);
        for (int rank = 0; rank < 3; rank++) {
            List<String> cut = losses("cut", rank);
            assertThat(cut).hasSameSizeAs(unlimited);
            for (int step = 0; step < cut.size(); step++) {
                double expected = Double.parseDouble(unlimited.get(step));
                assertThat(Double.parseDouble(cut.get(step))).isCloseTo(expected, within(1e-5 * expected));
            }
        }
    }

    private static List<String> losses(String name, int rank) throws IOException {
        return Files.readAllLines(folder.resolve(name).resolve("losses-" + rank));
    }

    private static byte[] weights(String name) throws IOException {
        return Files.readAllBytes(folder.resolve(name).resolve("weights/model.safetensors"));
    }

    /** Trains in a JVM for each rank; their exit codes. */
    private static List<Integer> train(String name, String limit, int stage, String states, int ranks)
            throws IOException, InterruptedException {
        Path runFolder = Files.createDirectories(folder.resolve(name));
        List<Process> processes = new ArrayList<>();
        try {
            for (int rank = 0; rank < ranks; rank++) {
                List<String> command = new ArrayList<>();
                command.add(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString());
                ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                        .filter(option -> option.startsWith("--add-") || option.startsWith("-XX:+Ignore"))
                        .forEach(command::add);
                command.addAll(List.of(
                        "-Xmx128m",
                        "-Dorg.bytedeco.javacpp.maxbytes=" + limit,
                        "-cp",
                        System.getProperty("java.class.path"),
                        LimitedRank.class.getName(),
                        runFolder.toString(),
                        model.toString(),
                        Integer.toString(stage),
                        states,
                        Integer.toString(rank),
                        Integer.toString(ranks)));
                processes.add(new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(runFolder.resolve("log-" + rank).toFile())
                        .start());
            }
            List<Integer> exitCodes = new ArrayList<>();
            for (int rank = 0; rank < ranks; rank++) {
                assertThat(processes.get(rank).waitFor(5, TimeUnit.MINUTES))
                        .as(Files.readString(runFolder.resolve("log-" + rank)))
                        .isTrue();
                exitCodes.add(processes.get(rank).exitValue());
            }
            return exitCodes;
        } finally {
            processes.forEach(Process::destroyForcibly);
        }
    }

    private static Path sevenMillionParameters() throws IOException {
        Path directory = Files.createDirectories(folder.resolve("model"));
        Files.writeString(
                directory.resolve("config.json"),
                """
                {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_act": "silu",
                 "hidden_size": 256, "intermediate_size": 1024, "num_hidden_layers": 6, "num_attention_heads": 8,
                 "num_key_value_heads": 8, "max_position_embeddings": 64, "rms_norm_eps": 1e-5,
                 "rope_theta": 10000.0, "tie_word_embeddings": false,
                 "vocab_size": 2048, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
                """);
        org.apache.hadoop.fs.Path path = new org.apache.hadoop.fs.Path(directory.toUri());
        ModelDirectory directories = new ModelDirectory(new Configuration());
        try (Scope scope = Scope.root(TinyModels.backend(), "model")) {
            directories.save(directories.initialize(path, scope, DType.FP32, 3), path, ElementType.F32);
        }
        return directory;
    }
}
