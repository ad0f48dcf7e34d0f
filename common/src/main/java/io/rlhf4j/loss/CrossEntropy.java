package io.rlhf4j.loss;

/**
 * Cross-entropy of one token from its logits, with label smoothing over all classes, the true one included (Szegedy et al.
 * 2016): {@code (1 - e) (-logp[label]) + e mean(-logp)}.
 *
 * @param smoothing e
 */
public record CrossEntropy(double smoothing) {
    /**
     * One token's loss.
     *
     * @param derivatives receives the derivative with respect to each logit
     */
    public double of(double[] logits, int label, double[] derivatives) {
        double[] logProbs = logSoftmax(logits);
        double loss = -(1 - smoothing) * logProbs[label];
        for (int i = 0; i < logits.length; i++) {
            loss -= smoothing * logProbs[i] / logits.length;
            derivatives[i] = Math.exp(logProbs[i]) - smoothing / logits.length;
        }
        derivatives[label] -= 1 - smoothing;
        return loss;
    }

    /** Logarithms of the softmax of a row. */
    public static double[] logSoftmax(double[] logits) {
        double largest = Double.NEGATIVE_INFINITY;
        for (double logit : logits) {
            largest = Math.max(largest, logit);
        }
        double sum = 0;
        for (double logit : logits) {
            sum += Math.exp(logit - largest);
        }
        double[] logProbs = new double[logits.length];
        for (int i = 0; i < logits.length; i++) {
            logProbs[i] = logits[i] - largest - Math.log(sum);
        }
        return logProbs;
    }
}
