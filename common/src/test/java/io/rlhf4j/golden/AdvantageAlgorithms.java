package io.rlhf4j.golden;

import com.fasterxml.jackson.databind.JsonNode;
import io.rlhf4j.advantage.Divergence;
import io.rlhf4j.advantage.GeneralizedAdvantage;
import io.rlhf4j.advantage.KlController;
import io.rlhf4j.advantage.KlEstimator;
import io.rlhf4j.advantage.Moments;
import io.rlhf4j.advantage.RewardShaping;
import io.rlhf4j.advantage.Whitening;
import io.rlhf4j.config.KlConfig;
import io.rlhf4j.loss.CrossEntropy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Fixtures of {@code io.rlhf4j.advantage}. */
final class AdvantageAlgorithms {
    private static final Map<String, KlEstimator> ESTIMATORS =
            Map.of("k1", KlEstimator.K1, "k2", KlEstimator.K2, "k3", KlEstimator.K3, "abs", KlEstimator.ABSOLUTE);
    private static final int CONTROLLER_STEPS = 20;

    private AdvantageAlgorithms() {}

    static Map<String, Object> generalizedAdvantage(Fixture fixture) {
        GeneralizedAdvantage estimator = new GeneralizedAdvantage(fixture.number("gamma"), fixture.number("lam"));
        double[][] rewards = fixture.rows("rewards");
        double[][] values = fixture.rows("values");
        boolean[][] mask = fixture.masks("mask");
        // The other convention: nothing is passed over, masked tokens are worth nothing and decay like others.
        boolean zeroed = fixture.name().contains("zeroed");
        double[][] advantages = new double[rewards.length][];
        double[][] returns = new double[rewards.length][];
        for (int row = 0; row < rewards.length; row++) {
            boolean[] seen = mask[row].clone();
            if (zeroed) {
                clear(rewards[row], mask[row]);
                clear(values[row], mask[row]);
                Arrays.fill(seen, true);
            }
            double after = fixture.has("bootstrap_value") ? fixture.row("bootstrap_value")[row] : 0;
            GeneralizedAdvantage.Estimate estimate = estimator.of(rewards[row], values[row], seen, after);
            advantages[row] = clear(estimate.advantages(), mask[row]);
            returns[row] = clear(estimate.returns(), mask[row]);
        }
        return Map.of("advantages", advantages, "returns", returns);
    }

    private static double[] clear(double[] row, boolean[] mask) {
        for (int t = 0; t < row.length; t++) {
            row[t] = mask[t] ? row[t] : 0;
        }
        return row;
    }

    static Map<String, Object> whitening(Fixture fixture) {
        double[][] rows = fixture.rows("x");
        boolean[][] mask = fixture.masks("mask");
        Moments moments = Moments.NONE;
        for (int row = 0; row < rows.length; row++) {
            // As ranks do it: each sums its own, the sums are added.
            moments = moments.plus(
                    Moments.ofArray(Moments.of(rows[row], mask[row]).toArray()));
        }
        return Map.of(
                "mean", moments.mean(),
                "var_population", moments.populationVariance(),
                "var_unbiased", moments.unbiasedVariance(),
                "population", whitened(Whitening.POPULATION, rows, mask, moments, true),
                "unbiased", whitened(Whitening.UNBIASED, rows, mask, moments, true),
                "unbiased_no_mean_shift", whitened(Whitening.UNBIASED, rows, mask, moments, false));
    }

    private static double[][] whitened(
            Whitening whitening, double[][] rows, boolean[][] mask, Moments moments, boolean shiftMean) {
        double[][] result = new double[rows.length][];
        for (int row = 0; row < rows.length; row++) {
            result[row] = whitening.apply(rows[row], mask[row], moments, shiftMean);
        }
        return result;
    }

    static Map<String, Object> estimators(Fixture fixture) {
        Map<String, Object> result = new LinkedHashMap<>();
        Map<String, Object> gradients = new LinkedHashMap<>();
        Map<String, Object> perToken = new LinkedHashMap<>();
        Map<String, Object> perSequence = new LinkedHashMap<>();
        Map<String, Object> perTokenOfSequence = new LinkedHashMap<>();
        double[][] logProbs = fixture.rows("logp");
        double[][] reference = fixture.rows("ref_logp");
        boolean[][] mask = fixture.masks("mask");
        ESTIMATORS.forEach((name, estimator) -> {
            double[][] values = new double[logProbs.length][];
            double[][] derivatives = new double[logProbs.length][];
            Divergence total = Divergence.NONE;
            for (int row = 0; row < values.length; row++) {
                values[row] = new double[logProbs[row].length];
                derivatives[row] = new double[logProbs[row].length];
                for (int t = 0; t < values[row].length; t++) {
                    double d = logProbs[row][t] - reference[row][t];
                    values[row][t] = estimator.value(d);
                    derivatives[row][t] = mask[row][t] ? estimator.derivative(d) : 0;
                }
                total = total.plus(
                        Divergence.ofArray(Divergence.of(values[row], mask[row]).toArray()));
            }
            for (double[] row : derivatives) {
                for (int t = 0; t < row.length; t++) {
                    row[t] /= total.tokens();
                }
            }
            result.put(name, values);
            gradients.put(name, derivatives);
            perToken.put(name, total.perToken());
            perSequence.put(name, total.perSequence());
            perTokenOfSequence.put(name, total.perTokenOfSequence());
        });
        result.put("grad_of_masked_mean", gradients);
        result.put("masked_mean", perToken);
        result.put("sequence_sum_mean_over_batch", perSequence);
        result.put("token_mean_per_sequence_then_batch", perTokenOfSequence);
        result.put("exact_kl_p_q", exact(fixture.rows("logits_p"), fixture.rows("logits_q")));
        result.put("exact_kl_q_p", exact(fixture.rows("logits_q"), fixture.rows("logits_p")));
        return result;
    }

    private static double[] exact(double[][] p, double[][] q) {
        double[] divergences = new double[p.length];
        for (int row = 0; row < p.length; row++) {
            divergences[row] = Divergence.exact(CrossEntropy.logSoftmax(p[row]), CrossEntropy.logSoftmax(q[row]));
        }
        return divergences;
    }

    static Map<String, Object> controller(Fixture fixture) {
        if (!fixture.has("target")) {
            KlController controller = new KlController.Fixed(fixture.number("init"));
            List<Double> betas = new ArrayList<>();
            for (int step = 0; step < CONTROLLER_STEPS; step++) {
                controller = controller.after(step, 1);
                betas.add(controller.beta());
            }
            return Map.of("coefficient_after_step", betas);
        }
        KlConfig.Unit unit =
                fixture.name().startsWith("sequence") ? KlConfig.Unit.SEQUENCE_SUM : KlConfig.Unit.TOKEN_MEAN;
        KlController controller =
                new KlController.Adaptive(fixture.number("init"), fixture.number("target"), fixture.number("horizon"));
        boolean[][] mask = fixture.masks("mask");
        List<Double> measured = new ArrayList<>();
        List<Double> multipliers = new ArrayList<>();
        List<Double> betas = new ArrayList<>();
        for (JsonNode step : fixture.get("per_token_kl")) {
            Divergence divergence = Divergence.NONE;
            for (int row = 0; row < mask.length; row++) {
                divergence = divergence.plus(Divergence.of(Fixture.row(step.get(row)), mask[row]));
            }
            double before = controller.beta();
            controller = controller.after(divergence.in(unit), fixture.integer("batch"));
            measured.add(divergence.in(unit));
            multipliers.add(controller.beta() / before);
            betas.add(controller.beta());
        }
        return Map.of("measured_kl", measured, "multiplier", multipliers, "coefficient_after_step", betas);
    }

    static Map<String, Object> shaping(Fixture fixture) {
        return Map.of("rewards_k1", rewards(fixture, KlEstimator.K1), "rewards_k3", rewards(fixture, KlEstimator.K3));
    }

    private static double[][] rewards(Fixture fixture, KlEstimator estimator) {
        RewardShaping shaping = new RewardShaping(estimator, fixture.number("reward_clip"));
        double[][] logProbs = fixture.rows("logp");
        double[][] reference = fixture.rows("ref_logp");
        boolean[][] mask = fixture.masks("mask");
        double[][] rewards = new double[mask.length][];
        for (int row = 0; row < rewards.length; row++) {
            rewards[row] = shaping.rewards(
                    logProbs[row], reference[row], mask[row], fixture.row("score")[row], fixture.number("kl_coef"));
        }
        return rewards;
    }
}
