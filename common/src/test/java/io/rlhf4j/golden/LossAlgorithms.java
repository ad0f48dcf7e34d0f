package io.rlhf4j.golden;

import io.rlhf4j.loss.Aggregation;
import io.rlhf4j.loss.CrossEntropy;
import io.rlhf4j.loss.PolicyLoss;
import io.rlhf4j.loss.PolicyStatistics;
import io.rlhf4j.loss.ValueLoss;
import io.rlhf4j.loss.ValueStatistics;
import java.util.LinkedHashMap;
import java.util.Map;

/** Fixtures of the losses of language models, policies and critics. */
final class LossAlgorithms {
    private static final Map<String, Aggregation> AGGREGATIONS = Map.of(
            "token_mean", Aggregation.TOKEN_MEAN,
            "seq_mean_token_mean", Aggregation.SEQUENCE_MEAN_OF_TOKEN_MEANS,
            "seq_mean_token_sum", Aggregation.SEQUENCE_MEAN_OF_TOKEN_SUMS,
            "seq_mean_token_sum_norm", Aggregation.SUM_OVER_FIXED_LENGTH);

    private LossAlgorithms() {}

    static Map<String, Object> crossEntropy(Fixture fixture) {
        CrossEntropy crossEntropy = new CrossEntropy(fixture.number("label_smoothing"));
        int[][] labels = fixture.ids("labels");
        int ignored = fixture.integer("ignore_index");
        long tokens = 0;
        for (int[] row : labels) {
            for (int label : row) {
                tokens += label == ignored ? 0 : 1;
            }
        }
        double loss = 0;
        double[][][] gradient = new double[labels.length][][];
        for (int row = 0; row < labels.length; row++) {
            gradient[row] = new double[labels[row].length][];
            for (int t = 0; t < labels[row].length; t++) {
                double[] logits = Fixture.row(fixture.get("logits").get(row).get(t));
                gradient[row][t] = new double[logits.length];
                if (labels[row][t] != ignored) {
                    loss += crossEntropy.of(logits, labels[row][t], gradient[row][t]) / tokens;
                    for (int i = 0; i < logits.length; i++) {
                        gradient[row][t][i] /= tokens;
                    }
                }
            }
        }
        return Map.of("loss", loss, "grad", gradient);
    }

    static Map<String, Object> policy(Fixture fixture) {
        PolicyLoss policyLoss = new PolicyLoss(
                fixture.number("clip_low"),
                fixture.number("clip_high"),
                fixture.number("dual_clip", Double.POSITIVE_INFINITY));
        double[][] logProbs = fixture.rows("logp");
        double[][] old = fixture.rows("old_logp");
        double[][] advantages = fixture.rows("advantages");
        boolean[][] mask = fixture.masks("mask");
        int split = fixture.integer("microbatch_split_at_row");
        long batchTokens = count(mask);
        double[][] ratio = new double[mask.length][mask[0].length];
        double[][] perToken = new double[mask.length][mask[0].length];
        Map<String, Object> gradients = new LinkedHashMap<>();
        Map<String, Object> losses = new LinkedHashMap<>();
        double[] microBatches = new double[2];
        PolicyStatistics statistics = new PolicyStatistics();
        AGGREGATIONS.forEach((name, aggregation) -> {
            double[][] gradient = new double[mask.length][mask[0].length];
            double loss = 0;
            for (int row = 0; row < mask.length; row++) {
                long sequenceTokens = count(mask[row]);
                for (int t = 0; t < mask[row].length; t++) {
                    PolicyLoss.Term term = policyLoss.of(logProbs[row][t], old[row][t], advantages[row][t]);
                    ratio[row][t] = term.ratio();
                    if (mask[row][t]) {
                        double weight = aggregation.weight(sequenceTokens, batchTokens, mask.length, mask[row].length);
                        perToken[row][t] = term.loss();
                        gradient[row][t] = weight * term.derivative();
                        loss += weight * term.loss();
                        if (aggregation == Aggregation.TOKEN_MEAN) {
                            statistics.add(term, logProbs[row][t], old[row][t]);
                            microBatches[row < split ? 0 : 1] += weight * term.loss();
                        }
                    }
                }
            }
            gradients.put(name, gradient);
            losses.put(name, loss);
        });
        PolicyStatistics reduced = PolicyStatistics.ofSums(statistics.sums(), statistics.maxRatio());
        return Map.ofEntries(
                Map.entry("ratio", ratio),
                Map.entry("per_token_loss", perToken),
                Map.entry("losses", losses),
                Map.entry("grad_wrt_logp", gradients),
                Map.entry("microbatch_losses_with_global_token_count", microBatches),
                Map.entry("clip_fraction", reduced.clipFraction()),
                Map.entry("dual_clip_fraction", reduced.dualClipFraction()),
                Map.entry("approx_kl_k1", reduced.approxKlPlain()),
                Map.entry("approx_kl_k2", reduced.approxKlSquared()),
                Map.entry("approx_kl_k3", reduced.approxKl()),
                Map.entry("ratio_mean", reduced.ratioMean()));
    }

    static Map<String, Object> value(Fixture fixture) {
        ValueLoss valueLoss = new ValueLoss(fixture.number("value_clip", Double.POSITIVE_INFINITY));
        double[][] values = fixture.rows("values");
        double[][] old = fixture.rows("old_values");
        double[][] returns = fixture.rows("returns");
        boolean[][] mask = fixture.masks("mask");
        double[][] gradient = new double[mask.length][mask[0].length];
        ValueStatistics statistics = new ValueStatistics();
        for (int row = 0; row < mask.length; row++) {
            for (int t = 0; t < mask[row].length; t++) {
                if (mask[row][t]) {
                    ValueLoss.Term term = valueLoss.of(values[row][t], old[row][t], returns[row][t]);
                    gradient[row][t] = term.derivative() / count(mask);
                    statistics.add(term, values[row][t], returns[row][t]);
                }
            }
        }
        ValueStatistics reduced = ValueStatistics.ofSums(statistics.sums());
        return Map.of(
                "loss", reduced.loss(),
                "grad_wrt_values", gradient,
                "clip_fraction", reduced.clipFraction(),
                "explained_variance", reduced.explainedVariance());
    }

    private static long count(boolean[]... mask) {
        long count = 0;
        for (boolean[] row : mask) {
            for (boolean each : row) {
                count += each ? 1 : 0;
            }
        }
        return count;
    }
}
