package io.rlhf4j.workers.training;

import io.rlhf4j.batch.PackedRows;
import io.rlhf4j.batch.RowShares;
import io.rlhf4j.config.RewardModelConfig;
import io.rlhf4j.data.PreferenceRow;
import io.rlhf4j.loss.PairLoss;
import io.rlhf4j.model.ScoreModel;
import io.rlhf4j.model.TokenBatch;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.engine.Backward;
import io.rlhf4j.workers.engine.StepResult;
import io.rlhf4j.workers.engine.TrainingEngine;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Step 2, the reward model: a Bradley-Terry model of which of two answers is preferred (Ouyang et al. 2022, eq. 1). Every
 * rank is given the whole batch and computes its share.
 */
public final class RewardTrainer implements SupervisedTrainer<PreferenceRow> {
    private final ScoreModel model;
    private final TrainingEngine engine;
    private final Collectives collectives;
    private final Scope scope;
    private final RewardModelConfig settings;
    private final int microBatchTokens;

    /**
     * A trainer of one rank.
     *
     * @param engine of {@code model}
     * @param scope for evaluations
     * @param microBatchTokens tokens taken through the model at once
     */
    public RewardTrainer(
            ScoreModel model,
            TrainingEngine engine,
            Collectives collectives,
            Scope scope,
            RewardModelConfig settings,
            int microBatchTokens) {
        this.model = model;
        this.engine = engine;
        this.collectives = collectives;
        this.scope = scope;
        this.settings = settings;
        this.microBatchTokens = microBatchTokens;
    }

    /**
     * One optimizer step: the mean loss over all pairs of the batch.
     *
     * @param batch all pairs of the step, the same on every rank
     * @return metrics, the same on every rank
     */
    @Override
    public Map<String, Double> step(List<PreferenceRow> batch) {
        List<ScoredPair> scored = new ArrayList<>();
        List<Backward> microBatches = shares(batch).stream()
                .map(pairs -> (Backward) work -> {
                    PairScores scores = PairScores.of(pairs, settings);
                    model.scoresAndBackward(
                            work, scores.batch(), scores.rows(), values -> scores.gradient(values, batch.size()));
                    scored.addAll(scores.pairs());
                    return scores.loss();
                })
                .toList();
        StepResult result = engine.step(microBatches);
        SkippedSteps.report("reward", result, batch, collectives);
        Map<String, Double> metrics = StepMetrics.of(result);
        double right = scored.stream().filter(ScoredPair::right).count();
        double gap = scored.stream().mapToDouble(ScoredPair::gap).sum();
        double[] sums = collectives.allReduceSum(new double[] {right, gap});
        metrics.put("accuracy", sums[0] / batch.size());
        metrics.put("score_gap", sums[1] / batch.size());
        metrics.put("pairs", (double) batch.size());
        return metrics;
    }

    /** How well held-out pairs are told apart, the same on every rank. */
    @Override
    public Map<String, Double> evaluate(List<PreferenceRow> rows) {
        List<ScoredPair> scored = new ArrayList<>();
        engine.forward(shares(rows).stream()
                .map(pairs -> (Runnable) () -> scored.addAll(scored(pairs)))
                .toList());
        return PairReport.of(ScoredPair.ofAllRanks(scored, collectives), new PairLoss(settings.centering()));
    }

    private List<ScoredPair> scored(List<PreferenceRow> pairs) {
        try (Scope work = scope.child("evaluate")) {
            TokenBatch packed = PackedRows.ofPairs(pairs);
            float[] scores = model.scores(work, packed, packed.lastRows());
            List<ScoredPair> scored = new ArrayList<>();
            for (int i = 0; i < pairs.size(); i++) {
                scored.add(new ScoredPair(
                        pairs.get(i).source(),
                        scores[2 * i],
                        scores[2 * i + 1],
                        pairs.get(i).chosen().length,
                        pairs.get(i).rejected().length));
            }
            return scored;
        }
    }

    private List<List<PreferenceRow>> shares(List<PreferenceRow> rows) {
        return RowShares.microBatches(
                RowShares.of(rows, collectives.rank(), collectives.worldSize()), microBatchTokens);
    }
}
