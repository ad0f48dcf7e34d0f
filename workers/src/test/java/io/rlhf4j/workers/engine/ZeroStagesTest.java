package io.rlhf4j.workers.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.OptimizerConfig;
import io.rlhf4j.model.ActivationCheckpointing;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.ParameterUnit;
import io.rlhf4j.model.TokenBatch;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.workers.TinyModels;
import io.rlhf4j.workers.TinyModels.Kind;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.LocalGroup;
import io.rlhf4j.workers.collective.Ranks;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class ZeroStagesTest {
    private static final int STEPS = 8;
    private static final int STEP_OF_A_NAN = 3;
    private static final int STEP_WITHOUT_THE_LAST_RANK = 5;
    private static final int[] TEXT = {5, 9, 13, 21, 8, 30, 44, 2};

    /** All that a run shows: each step's numbers, and the weights that every rank has in the end. */
    private record Run(List<StepResult> steps, List<Map<String, float[]>> weights) {}

    private static Stream<Arguments> stagesRanksAndTypes() {
        return Stream.of(Kind.OPT, Kind.LLAMA).flatMap(kind -> Stream.of(DType.values())
                .flatMap(type -> IntStream.rangeClosed(1, 4).mapToObj(ranks -> Arguments.of(kind, type, ranks))));
    }

    @ParameterizedTest
    @MethodSource("stagesRanksAndTypes")
    void allStagesTrainTheSameBits(Kind kind, DType type, int ranks) throws Exception {
        Run replicated = run(ZeroStage.REPLICATED, kind, type, ranks, 1);
        for (ZeroStage stage : ZeroStage.values()) {
            Run cut = run(stage, kind, type, ranks, 1);

            for (int step = 0; step < STEPS; step++) {
                assertSameNumbers(cut.steps().get(step), replicated.steps().get(step));
            }
            for (int rank = 0; rank < ranks; rank++) {
                assertSameWeights(cut.weights().get(rank), replicated.weights().get(rank));
            }
        }
        assertThat(replicated.steps().get(STEP_OF_A_NAN).skipped()).isTrue();
    }

    @ParameterizedTest
    @MethodSource("stagesRanksAndTypes")
    void withAccumulationAllStagesTrainTheSameToRounding(Kind kind, DType type, int ranks) throws Exception {
        Run replicated = run(ZeroStage.REPLICATED, kind, type, ranks, 3);
        for (ZeroStage stage : ZeroStage.values()) {
            Run cut = run(stage, kind, type, ranks, 3);

            double tolerance = type == DType.FP32 ? 1e-5 : 1e-2;
            for (int step = 0; step < STEPS; step++) {
                StepResult expected = replicated.steps().get(step);
                assertThat(cut.steps().get(step).skipped()).isEqualTo(expected.skipped());
                if (!expected.skipped()) {
                    assertThat(cut.steps().get(step).loss() / expected.loss()).isBetween(1 - tolerance, 1 + tolerance);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ZeroStage.class)
    void recomputedActivationsAndATiedHeadLeaveTheBits(ZeroStage stage) throws Exception {
        for (Kind kind : List.of(Kind.OPT_350M_STYLE, Kind.SMALLER_LLAMA)) {
            Run replicated = run(ZeroStage.REPLICATED, kind, DType.FP32, 3, 1);
            for (ActivationCheckpointing checkpointing : ActivationCheckpointing.values()) {
                Run cut = run(stage, kind, DType.FP32, 3, 1, checkpointing);

                assertSameWeights(cut.weights().get(0), replicated.weights().get(0));
            }
        }
    }

    private static void assertSameNumbers(StepResult actual, StepResult expected) {
        // As objects: a NaN equals a NaN.
        assertThat((Double) actual.loss()).isEqualTo((Double) expected.loss());
        assertThat((Double) actual.gradientNorm()).isEqualTo((Double) expected.gradientNorm());
        assertThat(actual.skipped()).isEqualTo(expected.skipped());
    }

    private static void assertSameWeights(Map<String, float[]> actual, Map<String, float[]> expected) {
        assertThat(actual.keySet()).isEqualTo(expected.keySet());
        expected.forEach((name, values) -> assertThat(actual.get(name)).as(name).isEqualTo(values));
    }

    private static Run run(ZeroStage stage, Kind kind, DType type, int worldSize, int microBatches) throws Exception {
        return run(stage, kind, type, worldSize, microBatches, ActivationCheckpointing.OFF);
    }

    private static Run run(
            ZeroStage stage,
            Kind kind,
            DType type,
            int worldSize,
            int microBatches,
            ActivationCheckpointing checkpointing)
            throws Exception {
        LocalGroup group = new LocalGroup(worldSize, Duration.ofSeconds(60));
        List<Collectives> members =
                IntStream.range(0, worldSize).mapToObj(group::member).toList();
        try (Ranks<Run> ranks = new Ranks<>(members)) {
            List<Run> runs = ranks.all(collectives -> {
                try (Scope scope = Scope.root(TinyModels.backend(), "rank")) {
                    CausalLanguageModel model = TinyModels.causal(kind, scope, type, 7);
                    model.setCheckpointing(checkpointing);
                    return train(stage, model, microBatches, collectives, scope);
                }
            });
            return new Run(
                    runs.get(0).steps(),
                    runs.stream().flatMap(run -> run.weights().stream()).toList());
        }
    }

    private static Run train(
            ZeroStage stage, CausalLanguageModel model, int microBatches, Collectives collectives, Scope scope) {
        // The norm is above the limit in every step: clipping is always at work.
        OptimizerConfig optimizer = ConfigFile.parse(
                OptimizerConfig.class, "{learning_rate: 3.0e-3, clip_norm: 0.5, max_skipped_steps: 5}");
        List<StepResult> steps = new ArrayList<>();
        try (TrainingEngine engine = new TrainingEngine(
                model, new EngineSettings(stage, optimizer, STEPS, model.type(), 0.9), collectives, scope)) {
            for (int step = 0; step < STEPS; step++) {
                steps.add(engine.step(lessons(model, step, microBatches, collectives)));
            }
            Map<String, float[]> weights = new TreeMap<>();
            Runnable trained = () -> weights.putAll(weights("trained ", model));
            Runnable average = () -> weights.putAll(weights("average ", model));
            engine.forward(List.of(trained));
            // The last rank asks for nothing, and takes its part.
            boolean last = collectives.rank() == collectives.worldSize() - 1;
            engine.withAveragedWeights(() -> engine.forward(last ? List.of() : List.of(average)));
            return new Run(steps, List.of(weights));
        }
    }

    /** Every rank has a text of its own. */
    private static List<Backward> lessons(
            CausalLanguageModel model, int step, int microBatches, Collectives collectives) {
        boolean last = collectives.rank() == collectives.worldSize() - 1;
        if (step == STEP_WITHOUT_THE_LAST_RANK && last && collectives.worldSize() > 1) {
            return List.of();
        }
        float factor = step == STEP_OF_A_NAN && last ? Float.NaN : 1;
        List<Backward> lessons = new ArrayList<>();
        for (int i = 0; i < microBatches; i++) {
            int[] text = TEXT.clone();
            text[1] = 10 + collectives.rank();
            text[3] = 40 + i;
            int[] rows = IntStream.range(0, text.length - 1).toArray();
            int[] targets = IntStream.range(1, text.length).map(t -> text[t]).toArray();
            lessons.add(work -> {
                float[] logProbs = model.logProbsAndBackward(
                                work, TokenBatch.of(List.of(text)), rows, targets, 1f, (t, p, h) -> -factor, false)
                        .logProbs();
                return -IntStream.range(0, logProbs.length)
                        .mapToDouble(t -> logProbs[t])
                        .sum();
            });
        }
        return lessons;
    }

    private static Map<String, float[]> weights(String prefix, CausalLanguageModel model) {
        Map<String, float[]> weights = new TreeMap<>();
        for (ParameterUnit unit : model.units()) {
            model.hooks().beforeUse(unit);
            weights.put(prefix + unit.name(), unit.values().toFloats());
            model.hooks().afterUse(unit);
        }
        return weights;
    }
}
