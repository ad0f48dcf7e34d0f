package io.rlhf4j.workers.training;

import io.rlhf4j.advantage.Divergence;
import io.rlhf4j.advantage.KlEstimator;
import io.rlhf4j.data.Rollout;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.loss.PolicyStatistics;
import io.rlhf4j.loss.ValueStatistics;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.engine.StepResult;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/** What is told of one iteration: of its rollouts once, of its optimizer steps as means. The same on every rank. */
final class UpdateMetrics {
    /** Two forwards of the same fp32 weights, differently batched, differ by rounding only. */
    private static final double LARGEST_FP32_DIFFERENCE = 1e-4;

    private static final double MEAN_BF16_DIFFERENCE = 0.005;

    private final List<Rollout> rollouts;
    private final Collectives collectives;
    private final Map<String, Double> sums = new TreeMap<>();
    private final Map<String, Double> largest = new TreeMap<>();

    UpdateMetrics(List<Rollout> rollouts, Collectives collectives) {
        this.rollouts = rollouts;
        this.collectives = collectives;
    }

    PolicyStatistics policy(
            PolicyStatistics own,
            List<PolicyUpdate> updates,
            StepResult result,
            DType type,
            boolean first,
            long nanoseconds) {
        double[] ratio = collectives.allReduceMax(new double[] {
            own.maxRatio(),
            updates.stream().mapToDouble(PolicyUpdate::largestDifference).max().orElse(0)
        });
        PolicyStatistics all = PolicyStatistics.ofSums(collectives.allReduceSum(own.sums()), ratio[0]);
        double[] more = collectives.allReduceSum(new double[] {
            updates.stream().mapToDouble(PolicyUpdate::entropy).sum(),
            updates.stream().mapToDouble(PolicyUpdate::sumOfDifferences).sum()
        });
        if (first) {
            check(type, ratio[1], more[1] / all.tokens());
        }
        add("policy_loss", all.loss());
        add("approx_kl", all.approxKl());
        add("clip_fraction", all.clipFraction());
        add("entropy", more[0] / all.tokens());
        add("gradient_norm_actor", result.gradientNorm());
        add("learning_rate_actor", result.learningRate());
        add("skipped_actor", result.skipped() ? 1 : 0);
        add("seconds_train_actor", nanoseconds * 1e-9);
        add("seconds_communicate", result.communicationSeconds());
        largest.merge("ratio_max", all.maxRatio(), Math::max);
        return all;
    }

    /** Before the first step nothing has changed: the update's own forward has to find the log-probabilities again. */
    private void check(DType type, double most, double mean) {
        largest.put("old_logprob_difference_max", most);
        largest.put("old_logprob_difference_mean", mean);
        boolean agree = type == DType.FP32 ? most <= LARGEST_FP32_DIFFERENCE : mean <= MEAN_BF16_DIFFERENCE;
        if (!agree) {
            throw new Rlhf4jException(
                    ErrorKind.RETRYABLE,
                    ("the update's forward and the rollouts' disagree on the same weights: log-probabilities differ by up to"
                                    + " %.3g, %.3g on average; were the rollouts made by another weights version?")
                            .formatted(most, mean));
        }
    }

    void value(ValueStatistics own, StepResult result, long nanoseconds) {
        ValueStatistics all = ValueStatistics.ofSums(collectives.allReduceSum(own.sums()));
        add("value_loss", all.loss());
        add("value_clip_fraction", all.clipFraction());
        add("explained_variance", all.explainedVariance());
        add("gradient_norm_critic", result.gradientNorm());
        add("learning_rate_critic", result.learningRate());
        add("skipped_critic", result.skipped() ? 1 : 0);
        add("seconds_train_critic", nanoseconds * 1e-9);
        add("seconds_communicate", result.communicationSeconds());
    }

    private void add(String name, double value) {
        sums.merge(name, value, Double::sum);
    }

    /** All metrics of the iteration. */
    Map<String, Double> means(double beta, int steps, boolean stopped) {
        Map<String, Double> metrics = new TreeMap<>(largest);
        sums.forEach((name, sum) ->
                metrics.put(name, name.startsWith("seconds_") || name.startsWith("skipped_") ? sum : sum / steps));
        metrics.put("optimizer_steps", (double) steps);
        metrics.put("stopped_early", stopped ? 1.0 : 0.0);
        metrics.put("beta", beta);
        metrics.putAll(ofRollouts());
        return metrics;
    }

    private Map<String, Double> ofRollouts() {
        Map<String, Double> metrics = new TreeMap<>();
        double mean = mean(rollouts);
        double variance = rollouts.stream()
                .mapToDouble(rollout -> (rollout.score() - mean) * (rollout.score() - mean))
                .average()
                .orElse(Double.NaN);
        metrics.put("score_mean", mean);
        metrics.put("score_std", Math.sqrt(variance));
        Divergence plain = divergence(rollouts);
        metrics.put("kl_sum", plain.perSequence());
        metrics.put("kl_token", plain.perToken());
        metrics.put("kl_token_k3", divergence(rollouts, KlEstimator.K3).perToken());
        metrics.put("response_length", average(rollout -> rollout.response().length));
        metrics.put("eos_rate", average(rollout -> rollout.finish() == Rollout.Finish.EOS ? 1 : 0));
        metrics.put("truncated_rate", average(rollout -> rollout.finish() == Rollout.Finish.LENGTH ? 1 : 0));
        Map<String, List<Rollout>> bySource =
                rollouts.stream().collect(Collectors.groupingBy(Rollout::source, TreeMap::new, Collectors.toList()));
        if (bySource.size() > 1) {
            bySource.forEach((source, rows) -> metrics.put("score/" + source, mean(rows)));
        }
        return metrics;
    }

    private double average(ToDoubleFunction<Rollout> number) {
        return rollouts.stream().mapToDouble(number).average().orElse(Double.NaN);
    }

    private static double mean(List<Rollout> rows) {
        return rows.stream().mapToDouble(Rollout::score).average().orElse(Double.NaN);
    }

    /** Divergence of the actor from the reference by the plain estimator, which a controller looks at. */
    static Divergence divergence(List<Rollout> rollouts) {
        return divergence(rollouts, KlEstimator.K1);
    }

    private static Divergence divergence(List<Rollout> rollouts, KlEstimator estimator) {
        Divergence all = Divergence.NONE;
        for (Rollout rollout : rollouts) {
            double[] estimates = new double[rollout.response().length];
            for (int t = 0; t < estimates.length; t++) {
                estimates[t] = estimator.value((double) rollout.oldLogProbs()[t] - rollout.referenceLogProbs()[t]);
            }
            all = all.plus(Divergence.of(estimates, rollout.mask()));
        }
        return all;
    }
}
