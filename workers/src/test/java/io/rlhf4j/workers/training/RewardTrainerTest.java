package io.rlhf4j.workers.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.RewardModelConfig;
import io.rlhf4j.data.PreferenceRow;
import io.rlhf4j.loss.PairLoss;
import io.rlhf4j.model.ScoreModel;
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
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class RewardTrainerTest {
    @ParameterizedTest
    @CsvSource({"OPT_350M_STYLE, last_token, FP32", "LLAMA, per_token, FP32", "SMALLER_LLAMA, last_token, BF16"})
    void heldOutPairsAreToldApartAfterTraining(Kind kind, String loss, DType type) {
        try (Scope scope = Scope.root(TinyModels.backend(), "test");
                Collectives single = LocalGroup.single()) {
            RewardTrainer trainer = trainer(kind, type, settings(loss), scope, single, 4096);
            for (int step = 0; step < 60; step++) {
                trainer.step(TinyRows.pairs(32, step));
            }
            Map<String, Double> report = trainer.evaluate(TinyRows.pairs(60, 999));

            assertThat(report.get("accuracy")).isGreaterThan(0.9);
            assertThat(report.get("roc_auc")).isGreaterThan(0.9);
            assertThat(report.get("score_gap")).isPositive();
            assertThat(report.get("loss")).isLessThan(0.5);
            assertThat(report)
                    .containsKeys("calibration_error", "length_correlation", "accuracy/left", "accuracy/right");
        }
    }

    @ParameterizedTest
    @EnumSource(RewardModelConfig.Loss.class)
    void severalRanksAndMicroBatchesMakeTheStepsOfOneBatch(RewardModelConfig.Loss loss) throws Exception {
        List<Double> alone = losses(loss.name(), 1, 4096).get(0);
        List<List<Double>> together = losses(loss.name(), 2, 30);

        assertThat(together.get(1)).isEqualTo(together.get(0));
        for (int step = 0; step < alone.size(); step++) {
            assertThat(together.get(0).get(step)).isCloseTo(alone.get(step), within(1e-5));
        }
    }

    @Test
    void theFirstLossOfAZeroGapIsLogTwoPlusWhatTheMarginAsks() {
        try (Scope scope = Scope.root(TinyModels.backend(), "test");
                Collectives single = LocalGroup.single()) {
            RewardTrainer trainer = trainer(Kind.OPT, DType.FP32, settings("last_token"), scope, single, 4096);
            int[] same = {5, 9, 13, 2};
            PreferenceRow even = new PreferenceRow("even", "test", same, same, 2, 0);
            PreferenceRow wide = new PreferenceRow("wide", "test", same, same, 2, 3);

            assertThat(trainer.step(List.of(even)).get("loss")).isCloseTo(Math.log(2), within(1e-6));
            assertThat(trainer.step(List.of(wide)).get("loss")).isCloseTo(Math.log1p(Math.exp(3)), within(1e-5));
        }
    }

    @Test
    void theReportIsThatOfTheScores() {
        List<ScoredPair> pairs = List.of(
                new ScoredPair("a", 2, 1, 10, 5),
                new ScoredPair("a", 3, -1, 12, 3),
                new ScoredPair("b", 0, 1.5f, 4, 8),
                new ScoredPair("b", 1, 1, 6, 6));
        Map<String, Double> report = PairReport.of(pairs, new PairLoss(0));

        assertThat(report.get("accuracy")).isEqualTo(0.5);
        assertThat(report.get("accuracy/a")).isEqualTo(1);
        assertThat(report.get("accuracy/b")).isEqualTo(0);
        assertThat(report.get("score_gap")).isCloseTo((1 + 4 - 1.5 + 0) / 4, within(1e-12));
        // Chosen 2, 3, 0, 1 against rejected 1, -1, 1.5, 1: of 16 comparisons 10 are won and 2 are ties.
        assertThat(report.get("roc_auc")).isCloseTo(11 / 16.0, within(1e-12));
        assertThat(report.get("length_correlation")).isBetween(0.5, 1.0);
    }

    private static List<List<Double>> losses(String loss, int worldSize, int microBatchTokens) throws Exception {
        LocalGroup group = new LocalGroup(worldSize, Duration.ofSeconds(60));
        List<Collectives> members =
                IntStream.range(0, worldSize).mapToObj(group::member).toList();
        try (Ranks<List<Double>> ranks = new Ranks<>(members)) {
            return ranks.all(collectives -> {
                try (Scope scope = Scope.root(TinyModels.backend(), "rank")) {
                    RewardTrainer trainer = trainer(
                            Kind.OPT_350M_STYLE, DType.FP32, settings(loss), scope, collectives, microBatchTokens);
                    List<Double> losses = new ArrayList<>();
                    for (int step = 0; step < 5; step++) {
                        Map<String, Double> metrics = trainer.step(TinyRows.pairs(9, step));
                        losses.add(metrics.get("loss"));
                        losses.add(metrics.get("accuracy"));
                    }
                    losses.addAll(trainer.evaluate(TinyRows.pairs(11, 77)).values());
                    return losses;
                }
            });
        }
    }

    private static RewardModelConfig settings(String loss) {
        return ConfigFile.parse(
                RewardModelConfig.class,
                "{loss: %s, optimizer: {learning_rate: 3.0e-3, schedule: {kind: constant, warmup: 0}}}"
                        .formatted(loss.toLowerCase(Locale.ROOT)));
    }

    private static RewardTrainer trainer(
            Kind kind,
            DType type,
            RewardModelConfig settings,
            Scope scope,
            Collectives collectives,
            int microBatchTokens) {
        ScoreModel model = TinyModels.score(kind, scope, type, 5);
        TrainingEngine engine = new TrainingEngine(
                model,
                new EngineSettings(ZeroStage.REPLICATED, settings.optimizer(), 100, DType.FP32, 0),
                collectives,
                scope);
        return new RewardTrainer(model, engine, collectives, scope, settings, microBatchTokens);
    }
}
