package io.rlhf4j.loss;

/**
 * PPO's clipped policy loss of one token (Schulman et al. 2017, eq. 7): {@code max(-A rho, -A clip(rho, 1 - low, 1 +
 * high))} with {@code rho = exp(new - old)}.
 *
 * @param clipLow how far the ratio may fall below 1
 * @param clipHigh how far it may rise above 1 (DAPO sets it higher than clipLow)
 * @param dualClip where A is negative the loss is at most -A times this (Ye et al. 2020); infinite for no bound
 */
public record PolicyLoss(double clipLow, double clipHigh, double dualClip) {
    /** Beyond this |new - old| the exponential would overflow; the gradient there is zero. */
    private static final double MAX_LOG_RATIO = 20;

    /**
     * One token's loss.
     *
     * @param loss its value
     * @param derivative with respect to the new log-probability
     * @param ratio rho
     * @param clipped whether the clipped term is the active one
     * @param dualClipped whether the dual clip bounds the loss
     */
    public record Term(double loss, double derivative, double ratio, boolean clipped, boolean dualClipped) {}

    public Term of(double newLogProb, double oldLogProb, double advantage) {
        double logRatio = newLogProb - oldLogProb;
        double bounded = Math.max(-MAX_LOG_RATIO, Math.min(MAX_LOG_RATIO, logRatio));
        double ratio = Math.exp(bounded);
        double slope = bounded == logRatio ? ratio : 0;
        double plain = -advantage * ratio;
        double limited = -advantage * Math.max(1 - clipLow, Math.min(1 + clipHigh, ratio));
        boolean clipped = limited > plain;
        double loss = Math.max(plain, limited);
        double derivative = clipped ? 0 : -advantage * slope;
        if (advantage < 0 && loss > -advantage * dualClip) {
            return new Term(-advantage * dualClip, 0, ratio, clipped, true);
        }
        return new Term(loss, derivative, ratio, clipped, false);
    }
}
