package io.rlhf4j.workers.training;

import io.rlhf4j.batch.PackedRows;
import io.rlhf4j.batch.RowShares;
import io.rlhf4j.config.SftConfig;
import io.rlhf4j.data.TrainingRow;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.TokenGradient;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.engine.Backward;
import io.rlhf4j.workers.engine.StepResult;
import io.rlhf4j.workers.engine.TrainingEngine;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Step 1, supervised fine-tuning: cross-entropy on the tokens of good answers (Ouyang et al. 2022, section 3.1). Every rank
 * is given the whole batch and computes its share.
 */
public final class SftTrainer implements SupervisedTrainer<TrainingRow> {
    private final CausalLanguageModel model;
    private final TrainingEngine engine;
    private final Collectives collectives;
    private final Scope scope;
    private final SftConfig settings;
    private final int microBatchTokens;

    /**
     * A trainer of one rank.
     *
     * @param engine of {@code model}
     * @param scope for evaluations
     * @param microBatchTokens tokens taken through the model at once
     */
    public SftTrainer(
            CausalLanguageModel model,
            TrainingEngine engine,
            Collectives collectives,
            Scope scope,
            SftConfig settings,
            int microBatchTokens) {
        this.model = model;
        this.engine = engine;
        this.collectives = collectives;
        this.scope = scope;
        this.settings = settings;
        this.microBatchTokens = microBatchTokens;
    }

    /**
     * One optimizer step: the mean cross-entropy over all trained tokens of the batch.
     *
     * @param batch all rows of the step, the same on every rank
     * @return metrics, the same on every rank
     */
    @Override
    public Map<String, Double> step(List<TrainingRow> batch) {
        long tokens = trainedTokens(batch);
        TokenGradient meanCrossEntropy = (index, logProb, entropy) -> -1f / tokens;
        List<Backward> microBatches = shares(batch).stream()
                .map(rows -> (Backward) work -> {
                    PackedRows packed = PackedRows.ofTexts(rows, settings.trainOnPrompt());
                    float[] logProbs = model.logProbsAndBackward(
                                    work, packed.batch(), packed.rows(), packed.targets(), 1f, meanCrossEntropy, false)
                            .logProbs();
                    return -sum(logProbs) / tokens;
                })
                .toList();
        StepResult result = engine.step(microBatches);
        SkippedSteps.report("sft", result, batch, collectives);
        Map<String, Double> metrics = StepMetrics.of(result);
        metrics.put("perplexity", Math.exp(result.loss()));
        metrics.put("tokens", (double) tokens);
        return metrics;
    }

    /** Loss and perplexity of held-out rows, the same on every rank. */
    @Override
    public Map<String, Double> evaluate(List<TrainingRow> rows) {
        double[] loss = {0};
        engine.forward(shares(rows).stream()
                .map(microBatch -> (Runnable) () -> loss[0] += loss(microBatch))
                .toList());
        double mean = collectives.allReduceSum(loss)[0] / trainedTokens(rows);
        return new TreeMap<>(Map.of("loss", mean, "perplexity", Math.exp(mean)));
    }

    private double loss(List<TrainingRow> microBatch) {
        try (Scope work = scope.child("evaluate")) {
            PackedRows packed = PackedRows.ofTexts(microBatch, settings.trainOnPrompt());
            return -sum(model.logProbs(work, packed.batch(), packed.rows(), packed.targets(), 1f, false)
                    .logProbs());
        }
    }

    private List<List<TrainingRow>> shares(List<TrainingRow> rows) {
        return RowShares.microBatches(
                RowShares.of(rows, collectives.rank(), collectives.worldSize()), microBatchTokens);
    }

    private long trainedTokens(List<TrainingRow> rows) {
        long tokens = 0;
        for (TrainingRow row : rows) {
            PackedRows packed = PackedRows.ofTexts(List.of(row), settings.trainOnPrompt());
            if (packed.asked() == 0) {
                throw Rlhf4jException.data("row %s of source '%s' has no token to train on; give it a response"
                        .formatted(row.key(), row.source()));
            }
            tokens += packed.asked();
        }
        return tokens;
    }

    private static double sum(float... values) {
        double sum = 0;
        for (float value : values) {
            sum += value;
        }
        return sum;
    }
}
