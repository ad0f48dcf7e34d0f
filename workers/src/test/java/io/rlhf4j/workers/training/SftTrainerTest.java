package io.rlhf4j.workers.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.SftConfig;
import io.rlhf4j.data.TrainingRow;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.workers.TinyModels;
import io.rlhf4j.workers.TinyModels.Kind;
import io.rlhf4j.workers.TinyRows;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.LocalGroup;
import io.rlhf4j.workers.collective.Ranks;
import io.rlhf4j.workers.engine.EngineSettings;
import io.rlhf4j.workers.engine.TrainingEngine;
import io.rlhf4j.workers.engine.ZeroStage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SftTrainerTest {
    private static final int STEPS = 5;
    private static final SftConfig SETTINGS = ConfigFile.parse(
            SftConfig.class, "optimizer: {learning_rate: 1.0e-3, schedule: {kind: constant, warmup: 0}}");

    @ParameterizedTest
    @EnumSource(Kind.class)
    void severalRanksMakeTheStepsOfOne(Kind kind) throws Exception {
        List<Double> alone = losses(kind, 1, 4096).get(0);
        List<List<Double>> together = losses(kind, 3, 4096);

        for (int step = 0; step < STEPS; step++) {
            assertThat(together.get(0).get(step)).isCloseTo(alone.get(step), within(1e-5));
            assertThat(together.get(1).get(step)).isEqualTo(together.get(0).get(step));
            assertThat(together.get(2).get(step)).isEqualTo(together.get(0).get(step));
        }
    }

    @Test
    void severalMicroBatchesMakeTheStepOfOneBatch() throws Exception {
        List<Double> whole = losses(Kind.OPT, 1, 4096).get(0);
        List<Double> parts = losses(Kind.OPT, 1, 24).get(0);

        for (int step = 0; step < STEPS; step++) {
            assertThat(parts.get(step)).isCloseTo(whole.get(step), within(1e-5));
        }
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    void perplexityFalls(DType type) {
        try (Scope scope = Scope.root(TinyModels.backend(), "test");
                Collectives single = LocalGroup.single()) {
            SftTrainer trainer = trainer(Kind.LLAMA, type, scope, single, 4096);
            List<TrainingRow> heldOut = TinyRows.texts(30, 99);
            double before = trainer.evaluate(heldOut).get("perplexity");
            for (int step = 0; step < 60; step++) {
                trainer.step(TinyRows.texts(32, step));
            }

            assertThat(before).isCloseTo(TinyModels.VOCABULARY, within(16.0));
            assertThat(trainer.evaluate(heldOut).get("perplexity")).isLessThan(before / 2);
        }
    }

    @Test
    void theLossIsTheMeanOverTrainedTokensOfTheBatch() {
        try (Scope scope = Scope.root(TinyModels.backend(), "test");
                Collectives single = LocalGroup.single()) {
            SftTrainer trainer = trainer(Kind.OPT, DType.FP32, scope, single, 4096);
            List<TrainingRow> rows = TinyRows.texts(7, 3);
            double tokens = 0;
            double sum = 0;
            for (TrainingRow row : rows) {
                Map<String, Double> one = trainer.evaluate(List.of(row));
                sum += one.get("loss") * row.trainedTokens();
                tokens += row.trainedTokens();
            }

            assertThat(trainer.evaluate(rows).get("loss")).isCloseTo(sum / tokens, within(1e-6));
            assertThat(trainer.step(rows).get("loss")).isCloseTo(sum / tokens, within(1e-6));
        }
    }

    @Test
    void aRowWithoutTrainedTokensIsNamed() {
        try (Scope scope = Scope.root(TinyModels.backend(), "test");
                Collectives single = LocalGroup.single()) {
            SftTrainer trainer = trainer(Kind.OPT, DType.FP32, scope, single, 4096);
            TrainingRow empty = new TrainingRow("row-17", "desk", new int[] {5, 6, 7}, new boolean[3]);

            assertThatThrownBy(() -> trainer.step(List.of(empty)))
                    .isInstanceOf(Rlhf4jException.class)
                    .hasMessageContaining("row-17")
                    .hasMessageContaining("desk");
        }
    }

    private static List<List<Double>> losses(Kind kind, int worldSize, int microBatchTokens) throws Exception {
        LocalGroup group = new LocalGroup(worldSize, Duration.ofSeconds(60));
        List<Collectives> members =
                IntStream.range(0, worldSize).mapToObj(group::member).toList();
        try (Ranks<List<Double>> ranks = new Ranks<>(members)) {
            return ranks.all(collectives -> {
                try (Scope scope = Scope.root(TinyModels.backend(), "rank")) {
                    SftTrainer trainer = trainer(kind, DType.FP32, scope, collectives, microBatchTokens);
                    List<Double> losses = new ArrayList<>();
                    for (int step = 0; step < STEPS; step++) {
                        losses.add(trainer.step(TinyRows.texts(13, step)).get("loss"));
                    }
                    return losses;
                }
            });
        }
    }

    private static SftTrainer trainer(
            Kind kind, DType type, Scope scope, Collectives collectives, int microBatchTokens) {
        CausalLanguageModel model = TinyModels.causal(kind, scope, type, 11);
        TrainingEngine engine = new TrainingEngine(
                model,
                new EngineSettings(ZeroStage.REPLICATED, SETTINGS.optimizer(), 100, DType.FP32, 0),
                collectives,
                scope);
        return new SftTrainer(model, engine, collectives, scope, SETTINGS, microBatchTokens);
    }
}
