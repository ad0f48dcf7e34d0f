package io.rlhf4j.workers.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.OptimizerConfig;
import io.rlhf4j.format.ElementType;
import io.rlhf4j.hub.ModelDirectory;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.ParameterUnit;
import io.rlhf4j.model.TokenBatch;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.workers.TinyModels;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.LocalGroup;
import io.rlhf4j.workers.collective.Ranks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class EngineMemoryTest {
    private static final OptimizerConfig OPTIMIZER = ConfigFile.parse(OptimizerConfig.class, "{learning_rate: 1.0e-3}");

    private static final Duration DEADLINE = Duration.ofMinutes(5);

    @TempDir
    private Path folder;

    /** What is held: weights that are not cut, and the most that the engine held; and what of it lay on disk. */
    private record Held(long bytes, long disk, EngineMemory predicted, long parameters, long largestUnit) {}

    /** What else an engine keeps, and where. */
    private record Keeping(double emaDecay, Optional<Path> statesOnDisk) {
        static final Keeping NO_AVERAGE = new Keeping(0, Optional.empty());
    }

    private static Stream<Arguments> stagesTypesAndRanks() {
        return Stream.of(ZeroStage.values()).flatMap(stage -> Stream.of(DType.values())
                .flatMap(type -> Stream.of(1, 3).flatMap(microBatches -> Stream.of(1, 4)
                        .map(ranks -> Arguments.of(stage, type, microBatches, ranks)))));
    }

    @ParameterizedTest
    @MethodSource("stagesTypesAndRanks")
    void whatRanksHoldIsWhatWasPredicted(ZeroStage stage, DType type, int microBatches, int ranks) throws Exception {
        for (boolean tied : new boolean[] {true, false}) {
            for (Held held : held(stage, type, microBatches, ranks, tied, Keeping.NO_AVERAGE)) {
                assertThat(held.bytes()).isCloseTo(held.predicted().bytes(), withinPercentage(2));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("stagesTypesAndRanks")
    void anAverageTakesFourBytesMoreCutAsTheStatesAre(ZeroStage stage, DType type, int microBatches, int ranks)
            throws Exception {
        for (Held held : held(stage, type, microBatches, ranks, false, new Keeping(0.9, Optional.empty()))) {
            double average = 4.0 * held.parameters() / (stage == ZeroStage.REPLICATED ? 1 : ranks);
            assertThat((double) held.predicted().average()).isCloseTo(average, withinPercentage(2));
            assertThat((double) held.bytes())
                    .isCloseTo(table(stage, type, microBatches, ranks, held) + average, withinPercentage(10));
            assertThat(held.bytes()).isCloseTo(held.predicted().bytes(), withinPercentage(2));
        }
    }

    @ParameterizedTest
    @MethodSource("stagesTypesAndRanks")
    @DisabledOnOs(OS.WINDOWS)
    void statesOnDiskTakeNoMemory(ZeroStage stage, DType type, int microBatches, int ranks) throws Exception {
        for (Held held : held(stage, type, microBatches, ranks, false, new Keeping(0.9, Optional.of(folder)))) {
            double states =
                    (type == DType.FP32 ? 8.0 : 12.0) * held.parameters() / (stage == ZeroStage.REPLICATED ? 1 : ranks);
            double average = states / (type == DType.FP32 ? 2 : 3);
            assertThat((double) held.disk()).isCloseTo(states + average, withinPercentage(2));
            assertThat(held.disk()).isCloseTo(held.predicted().diskBytes(), withinPercentage(2));
            assertThat((double) held.bytes())
                    .isCloseTo(table(stage, type, microBatches, ranks, held) - states, withinPercentage(10));
            assertThat(held.bytes()).isCloseTo(held.predicted().bytes(), withinPercentage(2));
        }
    }

    private static Stream<Arguments> frozenStagesTypesAndRanks() {
        return Stream.of(ZeroStage.REPLICATED, ZeroStage.WEIGHTS).flatMap(stage -> Stream.of(DType.values())
                .flatMap(type -> Stream.of(1, 4).map(ranks -> Arguments.of(stage, type, ranks))));
    }

    @ParameterizedTest
    @MethodSource("frozenStagesTypesAndRanks")
    void aModelThatOnlyComputesHoldsItsPartAndTwoUnits(ZeroStage stage, DType type, int worldSize) throws Exception {
        int w = type.bytes();
        org.apache.hadoop.fs.Path directory = saved(type);
        LocalGroup group = new LocalGroup(worldSize, DEADLINE);
        try (Ranks<Held> ranks = new Ranks<>(
                IntStream.range(0, worldSize).mapToObj(group::member).toList())) {
            for (Held held : ranks.all(collectives -> frozen(stage, type, collectives, directory))) {
                double p = held.parameters();
                double table = stage == ZeroStage.WEIGHTS ? w * p / worldSize + 2.0 * w * held.largestUnit() : w * p;
                assertThat((double) held.bytes()).isCloseTo(table, withinPercentage(10));
                assertThat(held.bytes()).isCloseTo(held.predicted().bytes(), withinPercentage(2));
            }
        }
    }

    /** Counted from the first byte that is loaded: a model that were whole for a moment would show. */
    private static Held frozen(
            ZeroStage stage, DType type, Collectives collectives, org.apache.hadoop.fs.Path directory)
            throws IOException {
        try (Scope scope = Scope.root(TinyModels.backend(), "rank");
                Scope work = Scope.root(scope.backend(), "work")) {
            WeightCutting cutting = new WeightCutting(stage, collectives, scope);
            CausalLanguageModel model =
                    new ModelDirectory(new Configuration()).loadCausal(directory, scope, type, cutting);
            FrozenEngine engine = new FrozenEngine(model, cutting);
            Runnable pass = () -> model.logProbs(
                    work,
                    TokenBatch.of(List.of(new int[] {5, 9, 13, 21})),
                    new int[] {0, 1},
                    new int[] {9, 13},
                    1f,
                    false);
            // Ranks have different numbers of passes.
            engine.forward(collectives.rank() == 0 ? List.of(pass, pass) : List.of(pass));
            List<ParameterUnit> units = model.units();
            long weights = EngineMemory.weights(units, type, stage, collectives.worldSize());
            long positions = scope.bytes() - cutting.scope().bytes() - whole(stage, units);
            return new Held(
                    scope.peakBytes() - positions,
                    0,
                    new EngineMemory(weights, 0, 0, 0, false, 0),
                    units.stream().mapToLong(ParameterUnit::elements).sum(),
                    units.stream().mapToLong(ParameterUnit::elements).max().orElseThrow());
        }
    }

    /** The table of the ZeRO paper, with gradients of several micro-batches in fp32, and the units that are at work. */
    @ParameterizedTest
    @MethodSource("stagesTypesAndRanks")
    void whatRanksHoldIsInTheTableOfThePaper(ZeroStage stage, DType type, int microBatches, int ranks)
            throws Exception {
        for (Held held : held(stage, type, microBatches, ranks, false, Keeping.NO_AVERAGE)) {
            double table = table(stage, type, microBatches, ranks, held);
            assertThat((double) held.bytes()).isCloseTo(table, withinPercentage(10));
        }
    }

    private static double table(ZeroStage stage, DType type, int microBatches, int ranks, Held held) {
        int w = type.bytes();
        int g = microBatches > 1 ? 4 : w;
        int o = type == DType.FP32 ? 8 : 12;
        double p = held.parameters();
        double unit = held.largestUnit();
        return switch (stage) {
            case REPLICATED -> w * p + g * p + o * p;
            case OPTIMIZER -> w * p + g * p + o * p / ranks;
            case GRADIENTS -> w * p + (g * p / ranks + 2 * w * unit) + o * p / ranks;
            case WEIGHTS -> (w * p / ranks + 2 * w * unit) + (g * p / ranks + 2 * w * unit) + o * p / ranks;
        };
    }

    private List<Held> held(ZeroStage stage, DType type, int microBatches, int worldSize, boolean tied, Keeping keeping)
            throws Exception {
        LocalGroup group = new LocalGroup(worldSize, DEADLINE);
        List<Collectives> members =
                IntStream.range(0, worldSize).mapToObj(group::member).toList();
        org.apache.hadoop.fs.Path directory = twelveLayers(tied);
        try (Ranks<Held> ranks = new Ranks<>(members)) {
            return ranks.all(collectives -> held(stage, type, microBatches, collectives, directory, keeping));
        }
    }

    private static Held held(
            ZeroStage stage,
            DType type,
            int microBatches,
            Collectives collectives,
            org.apache.hadoop.fs.Path directory,
            Keeping keeping)
            throws IOException {
        try (Scope scope = Scope.root(TinyModels.backend(), "rank")) {
            CausalLanguageModel model = new ModelDirectory(new Configuration()).initialize(directory, scope, type, 1);
            EngineSettings settings =
                    new EngineSettings(stage, OPTIMIZER, 10, type, keeping.emaDecay(), keeping.statesOnDisk());
            TrainingEngine engine = new TrainingEngine(model, settings, collectives, scope);
            for (int step = 0; step < 2; step++) {
                engine.step(IntStream.range(0, microBatches)
                        .mapToObj(i -> lesson(model))
                        .toList());
            }
            List<ParameterUnit> units = model.units();
            EngineMemory predicted = EngineMemory.of(
                    units, model.config().head().tied(), type, settings, microBatches > 1, collectives.worldSize());
            return new Held(
                    whole(stage, units) + engine.peakBytes(),
                    engine.peakDiskBytes(),
                    predicted,
                    units.stream().mapToLong(ParameterUnit::elements).sum(),
                    units.stream().mapToLong(ParameterUnit::elements).max().orElseThrow());
        }
    }

    private static long whole(ZeroStage stage, List<ParameterUnit> units) {
        return stage == ZeroStage.WEIGHTS
                ? 0
                : units.stream()
                        .mapToLong(unit -> unit.values().storage().bytes())
                        .sum();
    }

    private org.apache.hadoop.fs.Path saved(DType type) throws IOException {
        org.apache.hadoop.fs.Path directory = twelveLayers(false);
        ModelDirectory directories = new ModelDirectory(new Configuration());
        try (Scope scope = Scope.root(TinyModels.backend(), "saved")) {
            directories.save(directories.initialize(directory, scope, type, 1), directory, ElementType.F32);
        }
        return directory;
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

    private org.apache.hadoop.fs.Path twelveLayers(boolean tied) throws IOException {
        Path directory = Files.createDirectories(folder.resolve("tied-" + tied));
        Files.writeString(
                directory.resolve("config.json"),
                """
                {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_act": "silu",
                 "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 12, "num_attention_heads": 4,
                 "num_key_value_heads": 4, "max_position_embeddings": 64, "rms_norm_eps": 1e-5,
                 "rope_theta": 10000.0, "tie_word_embeddings": %s,
                 "vocab_size": 256, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
                """
                        .formatted(tied));
        return new org.apache.hadoop.fs.Path(directory.toUri());
    }
}
