package io.rlhf4j.loss;

/**
 * Sums over tokens of what is watched while a critic is updated. Statistics of several micro-batches and ranks add up; means
 * are taken at the end.
 */
public final class ValueStatistics {
    private double tokens;
    private double loss;
    private double clipped;
    private double targets;
    private double squaredTargets;
    private double errors;
    private double squaredErrors;

    /** Counts one token. */
    public void add(ValueLoss.Term term, double value, double target) {
        double error = target - value;
        tokens++;
        loss += term.loss();
        clipped += term.clipped() ? 1 : 0;
        targets += target;
        squaredTargets += target * target;
        errors += error;
        squaredErrors += error * error;
    }

    /** The sums, to be added over ranks. */
    public double[] sums() {
        return new double[] {tokens, loss, clipped, targets, squaredTargets, errors, squaredErrors};
    }

    /** Statistics of sums added over ranks. */
    public static ValueStatistics ofSums(double[] sums) {
        ValueStatistics statistics = new ValueStatistics();
        statistics.tokens = sums[0];
        statistics.loss = sums[1];
        statistics.clipped = sums[2];
        statistics.targets = sums[3];
        statistics.squaredTargets = sums[4];
        statistics.errors = sums[5];
        statistics.squaredErrors = sums[6];
        return statistics;
    }

    /** Tokens counted. */
    public double tokens() {
        return tokens;
    }

    /** Mean loss. */
    public double loss() {
        return loss / tokens;
    }

    /** Share of tokens whose clipped term is the active one. */
    public double clipFraction() {
        return clipped / tokens;
    }

    /**
     * How much of the returns' variance the values explain: 1 - Var(R - V) / Var(R). 1 is perfect, 0 is no better than a
     * constant, and it may be negative; NaN where all returns are equal.
     */
    public double explainedVariance() {
        double ofTargets = squaredTargets / tokens - Math.pow(targets / tokens, 2);
        double ofErrors = squaredErrors / tokens - Math.pow(errors / tokens, 2);
        return ofTargets > 0 ? 1 - ofErrors / ofTargets : Double.NaN;
    }
}
