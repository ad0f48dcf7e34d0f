package io.rlhf4j.loss;

/**
 * Sums over tokens of what is watched while a policy is updated. Statistics of several micro-batches and ranks add up; means
 * are taken at the end.
 */
public final class PolicyStatistics {
    private double tokens;
    private double loss;
    private double clipped;
    private double dualClipped;
    private double approxKl;
    private double approxKl2;
    private double approxKl1;
    private double ratio;
    private double maxRatio;

    /** Counts one token. */
    public void add(PolicyLoss.Term term, double newLogProb, double oldLogProb) {
        double d = newLogProb - oldLogProb;
        tokens++;
        loss += term.loss();
        clipped += term.clipped() ? 1 : 0;
        dualClipped += term.dualClipped() ? 1 : 0;
        approxKl += Math.expm1(d) - d;
        approxKl2 += d * d / 2;
        approxKl1 -= d;
        ratio += term.ratio();
        maxRatio = Math.max(maxRatio, term.ratio());
    }

    /** The sums, to be added over ranks; {@link #maxRatio} is not among them. */
    public double[] sums() {
        return new double[] {tokens, loss, clipped, approxKl, approxKl2, approxKl1, ratio, dualClipped};
    }

    /** Statistics of sums added over ranks. */
    public static PolicyStatistics ofSums(double[] sums, double maxRatio) {
        PolicyStatistics statistics = new PolicyStatistics();
        statistics.tokens = sums[0];
        statistics.loss = sums[1];
        statistics.clipped = sums[2];
        statistics.approxKl = sums[3];
        statistics.approxKl2 = sums[4];
        statistics.approxKl1 = sums[5];
        statistics.ratio = sums[6];
        statistics.dualClipped = sums[7];
        statistics.maxRatio = maxRatio;
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

    /** Share of tokens whose loss the dual clip bounds. */
    public double dualClipFraction() {
        return dualClipped / tokens;
    }

    /** Mean of exp(d) - 1 - d, d = new - old log-probability: estimates KL(old || new) without ever being negative. */
    public double approxKl() {
        return approxKl / tokens;
    }

    /** Mean of d^2 / 2. */
    public double approxKlSquared() {
        return approxKl2 / tokens;
    }

    /** Mean of -d. */
    public double approxKlPlain() {
        return approxKl1 / tokens;
    }

    /** Mean ratio. */
    public double ratioMean() {
        return ratio / tokens;
    }

    /** Largest ratio. */
    public double maxRatio() {
        return maxRatio;
    }
}
