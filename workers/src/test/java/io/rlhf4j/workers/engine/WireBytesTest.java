package io.rlhf4j.workers.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.OptimizerConfig;
import io.rlhf4j.hub.ModelDirectory;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.ParameterUnit;
import io.rlhf4j.model.TokenBatch;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.workers.TinyModels;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.Ranks;
import io.rlhf4j.workers.collective.network.Meetings;
import io.rlhf4j.workers.collective.network.NetworkSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What a rank sends in an optimizer step, counted at its sockets, against the formulas of the ZeRO paper. */
class WireBytesTest {
    private static final OptimizerConfig OPTIMIZER = ConfigFile.parse(OptimizerConfig.class, "{learning_rate: 1.0e-3}");
    private static final Duration DEADLINE = Duration.ofMinutes(5);
    private static final int STEPS = 2;

    @TempDir
    private Path folder;

    private static Stream<Arguments> stagesMicroBatchesAndRanks() {
        return Stream.of(ZeroStage.values()).flatMap(stage -> Stream.of(1, 3)
                .flatMap(microBatches -> Stream.of(2, 3, 4).map(ranks -> Arguments.of(stage, microBatches, ranks))));
    }

    @ParameterizedTest
    @MethodSource("stagesMicroBatchesAndRanks")
    void aStepSendsWhatTheFormulasSay(ZeroStage stage, int microBatches, int worldSize) throws Exception {
        long parameters = 0;
        for (Sent sent : sent(stage, DType.FP32, microBatches, worldSize)) {
            parameters = sent.parameters();
            // s P (N-1)/N: what a reduce-scatter or an all-gather of the whole model takes.
            double once = 4.0 * parameters * (worldSize - 1) / worldSize;
            double times =
                    switch (stage) {
                        case REPLICATED, OPTIMIZER -> 2;
                        case GRADIENTS -> microBatches + 1;
                        case WEIGHTS -> 3 * microBatches;
                    };
            assertThat(sent.bytesOfAStep()).isCloseTo(times * once, withinPercentage(2));
        }
        assertThat(parameters).isGreaterThan(400_000);
    }

    /** With BF16 weights and gradients everything takes half, but for gradients of several micro-batches, summed in FP32. */
    @ParameterizedTest
    @MethodSource("stagesMicroBatchesAndRanks")
    void aStepInBf16SendsHalfOfIt(ZeroStage stage, int microBatches, int worldSize) throws Exception {
        for (Sent sent : sent(stage, DType.BF16, microBatches, worldSize)) {
            double once = 2.0 * sent.parameters() * (worldSize - 1) / worldSize;
            int summed = microBatches > 1 ? 2 : 1;
            double times =
                    switch (stage) {
                        case REPLICATED -> 2 * summed;
                        case OPTIMIZER -> summed + 1;
                        case GRADIENTS -> microBatches + 1;
                        case WEIGHTS -> 3 * microBatches;
                    };
            assertThat(sent.bytesOfAStep()).isCloseTo(times * once, withinPercentage(2));
        }
    }

    private record Sent(double bytesOfAStep, long parameters) {}

    private List<Sent> sent(ZeroStage stage, DType type, int microBatches, int worldSize) throws Exception {
        org.apache.hadoop.fs.Path directory = twelveLayers();
        List<Collectives> group = Meetings.group(worldSize, NetworkSettings.of("127.0.0.1", DEADLINE));
        try (Ranks<Sent> ranks = new Ranks<>(group)) {
            return ranks.all(collectives -> sent(stage, type, microBatches, collectives, directory));
        }
    }

    private static Sent sent(
            ZeroStage stage, DType type, int microBatches, Collectives collectives, org.apache.hadoop.fs.Path directory)
            throws IOException {
        try (Scope scope = Scope.root(TinyModels.backend(), "rank")) {
            CausalLanguageModel model = new ModelDirectory(new Configuration()).initialize(directory, scope, type, 1);
            TrainingEngine engine =
                    new TrainingEngine(model, new EngineSettings(stage, OPTIMIZER, 10, type, 0), collectives, scope);
            long before = collectives.metrics().sentBytes();
            for (int step = 0; step < STEPS; step++) {
                engine.step(IntStream.range(0, microBatches)
                        .mapToObj(i -> lesson(model))
                        .toList());
            }
            double sent = collectives.metrics().sentBytes() - before;
            return new Sent(
                    sent / STEPS,
                    model.units().stream().mapToLong(ParameterUnit::elements).sum());
        }
    }

    private static Backward lesson(CausalLanguageModel model) {
        return work -> {
            model.logProbsAndBackward(
                    work,
                    TokenBatch.of(List.of(new int[] {5, 9, 13, 21})),
                    new int[] {0, 1, 2},
                    new int[] {9, 13, 21},
                    1f,
                    (index, logProb, entropy) -> -1,
                    false);
            return 1;
        };
    }

    /** Of which embedding and head are small: the backward pass finds the head as the forward pass left it. */
    private org.apache.hadoop.fs.Path twelveLayers() throws IOException {
        Path directory = Files.createDirectories(folder.resolve("model"));
        Files.writeString(
                directory.resolve("config.json"),
                """
                {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_act": "silu",
                 "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 12, "num_attention_heads": 4,
                 "num_key_value_heads": 4, "max_position_embeddings": 64, "rms_norm_eps": 1e-5,
                 "rope_theta": 10000.0, "tie_word_embeddings": false,
                 "vocab_size": 64, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
                """);
        return new org.apache.hadoop.fs.Path(directory.toUri());
    }
}
