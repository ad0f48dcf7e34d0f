package io.rlhf4j.advantage;

/**
 * Estimators of the Kullback-Leibler divergence of a policy from a reference at one token sampled from the policy, from {@code
 * d = log p - log p_ref} (Schulman 2020, "Approximating KL divergence").
 */
public enum KlEstimator {
    /** d: unbiased, of either sign. */
    K1 {
        @Override
        public double value(double d) {
            return d;
        }

        @Override
        public double derivative(double d) {
            return 1;
        }
    },
    /** d^2 / 2: biased, of small variance. */
    K2 {
        @Override
        public double value(double d) {
            return d * d / 2;
        }

        @Override
        public double derivative(double d) {
            return d;
        }
    },
    /** exp(-d) - 1 + d: unbiased and never negative. */
    K3 {
        @Override
        public double value(double d) {
            return Math.expm1(-d) + d;
        }

        @Override
        public double derivative(double d) {
            return -Math.expm1(-d);
        }
    },
    /** |d|. */
    ABSOLUTE {
        @Override
        public double value(double d) {
            return Math.abs(d);
        }

        @Override
        public double derivative(double d) {
            return Math.signum(d);
        }
    };

    /** The estimate. */
    public abstract double value(double d);

    /** Its derivative with respect to log p. */
    public abstract double derivative(double d);
}
