package io.rlhf4j.loss;

/**
 * The critic's loss of one token: {@code 0.5 max((v - R)^2, (clip(v, old - c, old + c) - R)^2)}.
 *
 * @param clip how far a value may move from the old one; infinite for no clipping
 */
public record ValueLoss(double clip) {
    /**
     * One token's loss.
     *
     * @param loss its value
     * @param derivative with respect to the new value
     * @param clipped whether the clipped term is the active one
     */
    public record Term(double loss, double derivative, boolean clipped) {}

    public Term of(double value, double oldValue, double target) {
        double error = value - target;
        double bounded = Math.max(oldValue - clip, Math.min(oldValue + clip, value));
        double boundedError = bounded - target;
        if (boundedError * boundedError > error * error) {
            // The active term moves with the value only where the value is not at its bound.
            return new Term(0.5 * boundedError * boundedError, bounded == value ? boundedError : 0, true);
        }
        return new Term(0.5 * error * error, error, false);
    }
}
