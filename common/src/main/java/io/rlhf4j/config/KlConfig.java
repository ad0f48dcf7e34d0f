package io.rlhf4j.config;

/** The penalty on leaving the reference model. */
public record KlConfig(
        @Doc(value = "Weight of the penalty; 0 needs no reference model.", preset = "0.05", range = "[0, inf)")
                double beta,
        @Doc(
                        value =
                                "Estimator of the divergence from d = log p - log p_ref: `k1` is d, `k2` is d^2/2, `k3` is"
                                        + " exp(-d) - 1 + d.",
                        preset = "k1")
                Estimator estimator,
        @Doc(value = "Whether the penalty is part of the `reward` or of the `loss`.", preset = "reward") Place place,
        @Doc(value = "Whether beta follows `target`.", preset = "false") boolean adaptive,
        @Doc(value = "Divergence that an adaptive beta aims at, in `unit`.", preset = "6", range = "(0, inf)")
                double target,
        @Doc(value = "Samples over which an adaptive beta moves.", preset = "10000", range = "(0, inf)") double horizon,
        @Doc(
                        value =
                                "Unit of `target`: the sum over a response's tokens, or their mean; then meant over responses.",
                        preset = "sequence_sum")
                Unit unit) {

    /** Estimators of the Kullback-Leibler divergence (Schulman 2020, "Approximating KL divergence"). */
    public enum Estimator {
        /** d. */
        K1,
        /** d squared, halved. */
        K2,
        /** exp(-d) - 1 + d. */
        K3
    }

    /** Where the penalty acts. */
    public enum Place {
        /** On the rewards, token by token. */
        REWARD,
        /** On the loss, differentiated. */
        LOSS
    }

    /** What one unit of divergence is. */
    public enum Unit {
        /** The sum over the tokens of a sequence, meant over sequences. */
        SEQUENCE_SUM,
        /** The mean over the tokens of a sequence, meant over sequences. */
        TOKEN_MEAN
    }
}
