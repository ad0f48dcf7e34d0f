package io.rlhf4j.optimizer;

/**
 * Limits the norm of the gradient of a whole model.
 *
 * @param maxNorm the limit; 0 for none
 */
public record GradientClipping(double maxNorm) {
    /** What every gradient is multiplied by, as PyTorch has it: {@code min(1, maxNorm / (norm + 1e-6))}. */
    public double factor(double norm) {
        return maxNorm == 0 ? 1 : Math.min(1, maxNorm / (norm + 1e-6));
    }
}
