package io.rlhf4j.advantage;

/**
 * Count, sum and sum of squares of numbers: what ranks add up to know mean and variance of all their numbers together.
 */
public record Moments(double count, double sum, double sumOfSquares) {
    /** Of no numbers. */
    public static final Moments NONE = new Moments(0, 0, 0);

    /** Of those values that the mask has. */
    public static Moments of(double[] values, boolean[] mask) {
        Moments moments = NONE;
        for (int i = 0; i < values.length; i++) {
            if (mask[i]) {
                moments = moments.plus(new Moments(1, values[i], values[i] * values[i]));
            }
        }
        return moments;
    }

    /** Of these numbers and others. */
    public Moments plus(Moments other) {
        return new Moments(count + other.count, sum + other.sum, sumOfSquares + other.sumOfSquares);
    }

    /** As three numbers, for adding over ranks. */
    public double[] toArray() {
        return new double[] {count, sum, sumOfSquares};
    }

    /** From three numbers. */
    public static Moments ofArray(double[] sums) {
        return new Moments(sums[0], sums[1], sums[2]);
    }

    public double mean() {
        return sum / count;
    }

    /** Variance with the count as divisor. */
    public double populationVariance() {
        return Math.max(0, sumOfSquares / count - mean() * mean());
    }

    /** Variance with the count less one as divisor. */
    public double unbiasedVariance() {
        return populationVariance() * count / (count - 1);
    }
}
