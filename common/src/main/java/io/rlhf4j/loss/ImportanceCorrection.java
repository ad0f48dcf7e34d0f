package io.rlhf4j.loss;

/**
 * The weight of a token whose sampling and training log-probabilities differ because generation computes in another
 * precision (Yao et al. 2025): {@code min(exp(training - sampling), limit)}, a constant for the gradient.
 *
 * @param limit the largest weight
 */
public record ImportanceCorrection(double limit) {
    /** What the token's loss is multiplied by. */
    public double weight(double trainingLogProb, double samplingLogProb) {
        return Math.min(Math.exp(trainingLogProb - samplingLogProb), limit);
    }
}
