package io.rlhf4j.workers.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.OptimizerConfig;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.format.NamedTensor;
import io.rlhf4j.format.SafetensorsWriter;
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
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class TrainingEngineTest {
    private static final int[] TEXT = {5, 9, 13, 21, 8, 30, 44, 2};
    private static final int[] ROWS = {0, 1, 2, 3, 4, 5, 6};
    private static final int[] TARGETS = {9, 13, 21, 8, 30, 44, 2};

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"adamw", "amsgrad", "sgd"})
    void aResumedRunHasTheBitsOfOneThatWasNotInterrupted(String optimizer) throws Exception {
        for (DType type : DType.values()) {
            OptimizerConfig settings = settings("kind: " + optimizer + ", max_skipped_steps: 2");
            org.apache.hadoop.fs.Path file = new org.apache.hadoop.fs.Path(
                    folder.resolve(optimizer + type + ".safetensors").toUri());
            float[] uninterrupted;
            EngineProgress saved;
            try (Trained run = new Trained(type, settings, 1)) {
                run.steps(3);
                run.engine.passOver(2);
                run.engine.step(List.of(work -> Double.NaN));
                saved = run.engine.progress();
                new SafetensorsWriter(new Configuration()).write(file, run.engine.state(), Map.of());
                run.steps(4);
                uninterrupted = run.everything();
            }
            try (Trained run = new Trained(type, settings, 2)) {
                run.engine.restore(saved, List.of(file), new Configuration());
                run.steps(4);

                assertThat(run.everything()).isEqualTo(uninterrupted);
                assertThat(run.engine.progress()).isEqualTo(new EngineProgress(10, 7, 1));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    void aStepThatIsNotFiniteChangesNothingAndIsCounted(DType type) {
        try (Trained run = new Trained(type, settings("max_skipped_steps: 3"), 1)) {
            run.steps(2);
            float[] before = run.everything();

            assertThat(run.engine.step(List.of(work -> Double.NaN)).skipped()).isTrue();
            assertThat(run.engine.step(List.of(run.lesson(Float.NaN))).skipped())
                    .isTrue();
            assertThat(run.engine
                            .step(List.of(run.lesson(Float.POSITIVE_INFINITY)))
                            .skipped())
                    .isTrue();

            assertThat(run.everything()).isEqualTo(before);
            assertThat(run.engine.progress()).isEqualTo(new EngineProgress(5, 2, 3));
            assertThat(run.engine.step(List.of(run.lesson(1))).skipped()).isFalse();
        }
    }

    @Test
    void tooManySkippedStepsEndTheRun() {
        try (Trained run = new Trained(DType.FP32, settings("max_skipped_steps: 1"), 1)) {
            run.engine.step(List.of(work -> Double.NaN));

            assertThatThrownBy(() -> run.engine.step(List.of(work -> Double.NaN)))
                    .isInstanceOf(Rlhf4jException.class)
                    .hasMessageContaining("2 steps")
                    .extracting(thrown -> ((Rlhf4jException) thrown).kind())
                    .isEqualTo(ErrorKind.DATA);
        }
    }

    @Test
    void aStepThatIsNotFiniteOnOneRankIsSkippedByAll() throws Exception {
        LocalGroup group = new LocalGroup(2, Duration.ofSeconds(60));
        List<Collectives> members =
                IntStream.range(0, 2).mapToObj(group::member).toList();
        try (Ranks<List<Boolean>> ranks = new Ranks<>(members)) {
            List<List<Boolean>> skipped = ranks.all(collectives -> {
                try (Trained run = new Trained(DType.FP32, DType.FP32, settings(""), 1, collectives)) {
                    float bad = collectives.rank() == 1 ? Float.NaN : 1;
                    boolean first = run.engine.step(List.of(run.lesson(bad))).skipped();
                    boolean second = run.engine.step(List.of(run.lesson(1))).skipped();
                    return List.of(first, second);
                }
            });

            assertThat(skipped).containsExactly(List.of(true, false), List.of(true, false));
        }
    }

    @Test
    void aRankWithoutMicroBatchesTakesPart() throws Exception {
        LocalGroup group = new LocalGroup(2, Duration.ofSeconds(60));
        List<Collectives> members =
                IntStream.range(0, 2).mapToObj(group::member).toList();
        try (Ranks<float[]> ranks = new Ranks<>(members);
                Trained alone = new Trained(DType.FP32, settings(""), 1)) {
            List<float[]> weights = ranks.all(collectives -> {
                try (Trained run = new Trained(DType.FP32, DType.FP32, settings(""), 1, collectives)) {
                    run.engine.step(collectives.rank() == 0 ? List.of(run.lesson(1)) : List.of());
                    return run.weights();
                }
            });
            alone.engine.step(List.of(alone.lesson(1)));

            assertThat(weights.get(0)).isEqualTo(alone.weights()).isEqualTo(weights.get(1));
        }
    }

    @Test
    void gradientsOfManyMicroBatchesAreSummedInFp32WhateverTheirType() {
        try (Trained coarse = new Trained(DType.BF16, DType.BF16, settings(""), 1, LocalGroup.single());
                Trained fine = new Trained(DType.BF16, DType.FP32, settings(""), 1, LocalGroup.single())) {
            // In BF16 a sum of equal terms stands still at 256 of them: the next is below half a unit in the last
            // place.
            double exact = fine.engine.step(manyLessons(fine)).gradientNorm();

            assertThat(coarse.engine.step(manyLessons(coarse)).gradientNorm()).isCloseTo(exact, within(exact * 0.01));
        }
    }

    @Test
    void theLearningRateFollowsThePlannedStepsAlsoThoseNotMade() {
        OptimizerConfig settings = settings("learning_rate: 1, schedule: {kind: linear, warmup: 0}");
        try (Trained run = new Trained(DType.FP32, settings, 1)) {
            double first = run.engine.step(List.of(run.lesson(1))).learningRate();
            run.engine.passOver(4);
            double next = run.engine.step(List.of(run.lesson(1))).learningRate();

            assertThat(first).isEqualTo(1);
            assertThat(next).isCloseTo(0.5, within(1e-12));
        }
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    void theMovingAverageFollowsTheWeightsAndCanStandInForThem(DType type) {
        try (Trained run = new Trained(type, settings("learning_rate: 0.01"), 1)) {
            double[] expected = doubles(run.weights());
            for (int step = 0; step < 3; step++) {
                run.steps(1);
                float[] masters = run.masters();
                for (int i = 0; i < expected.length; i++) {
                    expected[i] = 0.9 * expected[i] + 0.1 * masters[i];
                }
            }
            float[] trained = run.weights();
            float[] trainedLogProbs = run.logProbs();
            List<float[]> seen = new ArrayList<>();
            run.engine.withAveragedWeights(() -> {
                seen.add(run.weights());
                seen.add(run.logProbs());
            });

            double tolerance = type == DType.FP32 ? 1e-6 : 2e-3;
            for (int i = 0; i < expected.length; i++) {
                assertThat((double) seen.get(0)[i]).isCloseTo(expected[i], within(tolerance));
            }
            assertThat(seen.get(1)).isNotEqualTo(trainedLogProbs);
            assertThat(run.weights()).isEqualTo(trained);
            assertThat(run.logProbs()).isEqualTo(trainedLogProbs);
        }
    }

    private static List<Backward> manyLessons(Trained run) {
        List<Backward> lessons = new ArrayList<>();
        for (int i = 0; i < 600; i++) {
            lessons.add(run.lesson(0.01f));
        }
        return lessons;
    }

    private static double[] doubles(float... values) {
        return IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray();
    }

    private static OptimizerConfig settings(String yaml) {
        String preset = yaml.contains("learning_rate") ? "" : "learning_rate: 1.0e-3, ";
        return ConfigFile.parse(OptimizerConfig.class, "{" + preset + yaml + "}");
    }

    /** A model with its engine. */
    private static final class Trained implements AutoCloseable {
        private final Scope scope = Scope.root(TinyModels.backend(), "test");
        private final CausalLanguageModel model;
        private final TrainingEngine engine;

        private Trained(DType type, OptimizerConfig settings, long seed) {
            this(type, DType.FP32, settings, seed, LocalGroup.single());
        }

        private Trained(DType type, DType gradients, OptimizerConfig settings, long seed, Collectives collectives) {
            model = TinyModels.causal(Kind.OPT, scope, type, seed);
            engine = new TrainingEngine(
                    model, new EngineSettings(ZeroStage.REPLICATED, settings, 10, gradients, 0.9), collectives, scope);
        }

        private void steps(int count) {
            for (int step = 0; step < count; step++) {
                engine.step(List.of(lesson(1), lesson(0.5f)));
            }
        }

        /** Learns the text; {@code factor} multiplies its loss. */
        private Backward lesson(float factor) {
            return work -> {
                model.logProbsAndBackward(
                        work, TokenBatch.of(List.of(TEXT)), ROWS, TARGETS, 1f, (i, p, h) -> -factor, false);
                return 1;
            };
        }

        private float[] logProbs() {
            try (Scope work = scope.child("work")) {
                return model.logProbs(work, TokenBatch.of(List.of(TEXT)), ROWS, TARGETS, 1f, false)
                        .logProbs();
            }
        }

        private float[] weights() {
            return joined(model.units().stream().map(ParameterUnit::values).map(t -> t.toFloats()));
        }

        private float[] masters() {
            float[] all = new float[weights().length];
            int[] at = {0};
            model.units().forEach(unit -> {
                unit.parameters().forEach(parameter -> engine.state().stream()
                        .filter(tensor -> tensor.info().name().equals("master/" + parameter.name()))
                        .forEach(tensor -> copy(tensor, all, at[0] + parameter.offset())));
                at[0] += unit.elements();
            });
            return all;
        }

        private static void copy(NamedTensor tensor, float[] all, int at) {
            try {
                float[] values = new float[Math.toIntExact(tensor.info().elements())];
                tensor.values().read(0, values, values.length);
                System.arraycopy(values, 0, all, at, values.length);
            } catch (IOException failed) {
                throw new AssertionError(failed);
            }
        }

        /** Weights and the whole state, end to end. */
        private float[] everything() {
            float[] state = joined(engine.state().stream().map(tensor -> {
                float[] values = new float[Math.toIntExact(tensor.info().elements())];
                copy(tensor, values, 0);
                return values;
            }));
            float[] weights = weights();
            float[] all = Arrays.copyOf(weights, weights.length + state.length);
            System.arraycopy(state, 0, all, weights.length, state.length);
            return all;
        }

        private static float[] joined(Stream<float[]> parts) {
            List<float[]> list = parts.toList();
            float[] all = new float[list.stream().mapToInt(part -> part.length).sum()];
            int at = 0;
            for (float[] part : list) {
                System.arraycopy(part, 0, all, at, part.length);
                at += part.length;
            }
            return all;
        }

        @Override
        public void close() {
            engine.close();
            scope.close();
        }
    }
}
