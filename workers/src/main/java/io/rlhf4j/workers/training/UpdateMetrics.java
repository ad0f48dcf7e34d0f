package io.rlhf4j.workers.training;

import io.rlhf4j.advantage.Divergence;
import io.rlhf4j.advantage.KlEstimator;
import io.rlhf4j.data.Rollout;
import io.rlhf4j.loss.PolicyStatistics;
import io.rlhf4j.loss.ValueStatistics;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.engine.StepResult;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/** What is told of one iteration: of its rollouts once, of its optimizer steps as means. The same on every rank. */
final class UpdateMetrics {
    private static final String COMMUNICATION_BYTES = "communication_bytes";

    private final List<Rollout> rollouts;
    private final Collectives collectives;
    private final Map<String, DoubleSummaryStatistics> ofSteps = new TreeMap<>();
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
        double maxRatio = collectives.allReduceMax(new double[] {own.maxRatio()})[0];
        PolicyStatistics all = PolicyStatistics.ofSums(collectives.allReduceSum(own.sums()), maxRatio);
        double entropy = collectives
                .allReduceSum(new double[] {
                    updates.stream().mapToDouble(PolicyUpdate::entropy).sum()
                })[0];
        if (first && !result.skipped()) {
            // Nothing has changed yet: the update's own forward has to find the log-probabilities again.
            ForwardAgreement agreement = ForwardAgreement.of(updates, collectives);
            largest.put("old_logprob_difference_mean", agreement.mean());
            largest.put("old_logprob_difference_p999", agreement.percentile());
            largest.put("old_logprob_difference_max", agreement.most());
            agreement.require(type);
        }
        add("learning_rate_actor", result.learningRate());
        add("skipped_actor", result.skipped() ? 1 : 0);
        add("seconds_train_actor", nanoseconds * 1e-9);
        add("seconds_communicate", result.communicationSeconds());
        add(COMMUNICATION_BYTES, result.communicationBytes());
        if (!result.skipped()) {
            add("policy_loss", all.loss());
            add("approx_kl", all.approxKl());
            add("clip_fraction", all.clipFraction());
            add("entropy", entropy / all.tokens());
            add("gradient_norm_actor", result.gradientNorm());
            largest.merge("ratio_max", all.maxRatio(), Math::max);
        }
        return all;
    }

    void value(ValueStatistics own, StepResult result, long nanoseconds) {
        ValueStatistics all = ValueStatistics.ofSums(collectives.allReduceSum(own.sums()));
        if (!result.skipped()) {
            add("value_loss", all.loss());
            add("value_clip_fraction", all.clipFraction());
            add("explained_variance", all.explainedVariance());
            add("gradient_norm_critic", result.gradientNorm());
        }
        add("learning_rate_critic", result.learningRate());
        add("skipped_critic", result.skipped() ? 1 : 0);
        add("seconds_train_critic", nanoseconds * 1e-9);
        add("seconds_communicate", result.communicationSeconds());
        add(COMMUNICATION_BYTES, result.communicationBytes());
    }

    private void add(String name, double value) {
        ofSteps.computeIfAbsent(name, unseen -> new DoubleSummaryStatistics()).accept(value);
    }

    /** What the steps of an iteration have together; of everything else the mean is told. */
    private static boolean isSum(String name) {
        return name.startsWith("seconds_") || name.startsWith("skipped_") || name.equals(COMMUNICATION_BYTES);
    }

    /** All metrics of the iteration. */
    Map<String, Double> means(double beta, int steps, boolean stopped) {
        Map<String, Double> metrics = new TreeMap<>(largest);
        ofSteps.forEach((name, values) -> metrics.put(name, isSum(name) ? values.getSum() : values.getAverage()));
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
        Divergence neverNegative = divergence(rollouts, KlEstimator.K3);
        metrics.put("kl_sum_k3", neverNegative.perSequence());
        metrics.put("kl_token_k3", neverNegative.perToken());
        metrics.putAll(generationAgainstTraining());
        metrics.put("response_length", average(rollout -> rollout.response().length));
        metrics.put("eos_rate", average(rollout -> rollout.finish() == Rollout.Finish.EOS ? 1 : 0));
        metrics.put("truncated_rate", average(rollout -> rollout.finish() == Rollout.Finish.LENGTH ? 1 : 0));
        Map<String, List<Rollout>> bySource =
                rollouts.stream().collect(Collectors.groupingBy(Rollout::source, TreeMap::new, Collectors.toList()));
        bySource.forEach((source, rows) -> metrics.put("score/" + source, mean(rows)));
        return metrics;
    }

    /** How far generation's log-probabilities are from those of the training forward, token by token. */
    private Map<String, Double> generationAgainstTraining() {
        DoubleSummaryStatistics differences = new DoubleSummaryStatistics();
        for (Rollout rollout : rollouts) {
            for (int t = 0; t < rollout.response().length; t++) {
                if (rollout.mask()[t]) {
                    differences.accept(Math.abs((double) rollout.oldLogProbs()[t] - rollout.rolloutLogProbs()[t]));
                }
            }
        }
        return Map.of(
                "rollout_logprob_difference_mean", differences.getAverage(),
                "rollout_logprob_difference_max", differences.getMax());
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
