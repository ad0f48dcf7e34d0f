package io.rlhf4j.golden;

import io.rlhf4j.advantage.GeneralizedAdvantage;
import io.rlhf4j.advantage.KlEstimator;
import io.rlhf4j.advantage.RewardShaping;
import io.rlhf4j.loss.PolicyLoss;
import io.rlhf4j.loss.ValueLoss;
import java.util.Arrays;
import java.util.Map;

/**
 * DeepSpeed-Chat's third step made of this product's parts. It differs from the product in where things lie: the score may
 * sit one position past the last token that is trained on.
 */
final class DeepSpeedChatAlgorithm {
    private final Fixture fixture;
    private final int[][] attention;
    private final double[][] logProbs;
    private final double[][] values;
    private final int start;
    private final int columns;

    private DeepSpeedChatAlgorithm(Fixture fixture) {
        this.fixture = fixture;
        this.attention = fixture.ids("attention_mask");
        this.logProbs = fixture.rows("logp");
        this.values = fixture.rows("values");
        this.start = fixture.integer("prompt_length") - 1;
        this.columns = attention[0].length - 1;
    }

    static Map<String, Object> wholeStep(Fixture fixture) {
        return new DeepSpeedChatAlgorithm(fixture).compute();
    }

    private Map<String, Object> compute() {
        int rows = attention.length;
        int[] ends = new int[rows];
        double[][] before = new double[rows][];
        double[][] rewards = new double[rows][];
        double[][] kept = new double[rows][];
        double[][] advantages = new double[rows][];
        double[][] returns = new double[rows][];
        double[][] mask = new double[rows][];
        GeneralizedAdvantage estimator = new GeneralizedAdvantage(fixture.number("gamma"), fixture.number("lam"));
        for (int row = 0; row < rows; row++) {
            mask[row] = new double[columns - start];
            for (int t = start; t < columns; t++) {
                mask[row][t - start] = attention[row][t + 1];
            }
            ends[row] = start + (int) Arrays.stream(mask[row]).sum() + 1;
            boolean[] counted = new boolean[columns];
            Arrays.fill(counted, 0, Math.min(ends[row], columns), true);
            rewards[row] = shaped(row, counted);
            before[row] = rewards[row].clone();
            kept[row] = values[row].clone();
            for (int t = ends[row]; t < columns; t++) {
                before[row][t] = -fixture.number("kl_coef") * difference(row, t);
                kept[row][t] = 0;
            }
            boolean[] all = new boolean[columns - start];
            Arrays.fill(all, true);
            GeneralizedAdvantage.Estimate estimate = estimator.of(
                    Arrays.copyOfRange(rewards[row], start, columns),
                    Arrays.copyOfRange(kept[row], start, columns),
                    all,
                    0);
            advantages[row] = estimate.advantages();
            returns[row] = estimate.returns();
        }
        Means actor = actor(mask, advantages);
        Means critic = critic(mask, kept, returns);
        return Map.ofEntries(
                Map.entry("start", start),
                Map.entry("ends", ends),
                Map.entry("rewards_before_zeroing", before),
                Map.entry("rewards", rewards),
                Map.entry("values_after_zeroing", kept),
                Map.entry("advantages", advantages),
                Map.entry("returns", returns),
                Map.entry("loss_mask", mask),
                Map.entry("actor_loss", actor.loss),
                Map.entry("grad_actor_wrt_new_logp", actor.gradient),
                Map.entry("critic_loss", critic.loss),
                Map.entry("grad_critic_wrt_new_values", critic.gradient));
    }

    private double difference(int row, int t) {
        return logProbs[row][t] - fixture.rows("ref_logp")[row][t];
    }

    private double[] shaped(int row, boolean[] counted) {
        return new RewardShaping(KlEstimator.K1, fixture.number("reward_clip"))
                .rewards(
                        logProbs[row],
                        fixture.rows("ref_logp")[row],
                        counted,
                        fixture.row("score")[row],
                        fixture.number("kl_coef"));
    }

    private record Means(double loss, double[][] gradient) {}

    private Means actor(double[][] mask, double[][] advantages) {
        double clip = fixture.number("cliprange");
        PolicyLoss policyLoss = new PolicyLoss(clip, clip, Double.POSITIVE_INFINITY);
        double[][] latest = fixture.rows("new_logp_from_start");
        double tokens = Arrays.stream(mask).flatMapToDouble(Arrays::stream).sum();
        double loss = 0;
        double[][] gradient = new double[mask.length][mask[0].length];
        for (int row = 0; row < mask.length; row++) {
            for (int t = 0; t < mask[row].length; t++) {
                if (mask[row][t] > 0) {
                    PolicyLoss.Term term = policyLoss.of(latest[row][t], logProbs[row][start + t], advantages[row][t]);
                    loss += term.loss() / tokens;
                    gradient[row][t] = term.derivative() / tokens;
                }
            }
        }
        return new Means(loss, gradient);
    }

    private Means critic(double[][] mask, double[][] kept, double[][] returns) {
        ValueLoss valueLoss = new ValueLoss(fixture.number("cliprange_value"));
        double[][] latest = fixture.rows("new_values_from_start");
        double tokens = Arrays.stream(mask).flatMapToDouble(Arrays::stream).sum();
        double loss = 0;
        double[][] gradient = new double[mask.length][mask[0].length];
        for (int row = 0; row < mask.length; row++) {
            for (int t = 0; t < mask[row].length; t++) {
                if (mask[row][t] > 0) {
                    ValueLoss.Term term = valueLoss.of(latest[row][t], kept[row][start + t], returns[row][t]);
                    loss += term.loss() / tokens;
                    gradient[row][t] = term.derivative() / tokens;
                }
            }
        }
        return new Means(loss, gradient);
    }
}
