package io.rlhf4j.advantage;

/** Brings numbers to mean 0 and variance 1 over all tokens of a batch. */
public enum Whitening {
    /** Population variance, at least 1e-8. */
    POPULATION {
        @Override
        double factor(Moments moments) {
            return 1 / Math.sqrt(Math.max(moments.populationVariance(), EPSILON));
        }
    },
    /** Unbiased variance plus 1e-8. */
    UNBIASED {
        @Override
        double factor(Moments moments) {
            return 1 / Math.sqrt(moments.unbiasedVariance() + EPSILON);
        }
    };

    private static final double EPSILON = 1e-8;

    abstract double factor(Moments moments);

    /**
     * The whitened values, 0 where the mask is false.
     *
     * @param moments of all values of the batch, over all ranks
     * @param shiftMean whether the mean becomes 0 (advantages) or stays (rewards)
     */
    public double[] apply(double[] values, boolean[] mask, Moments moments, boolean shiftMean) {
        double factor = factor(moments);
        double mean = moments.mean();
        double[] whitened = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            if (mask[i]) {
                whitened[i] = (values[i] - mean) * factor + (shiftMean ? 0 : mean);
            }
        }
        return whitened;
    }
}
