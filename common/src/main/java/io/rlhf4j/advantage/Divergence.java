package io.rlhf4j.advantage;

import io.rlhf4j.config.KlConfig;

/**
 * The divergence of a policy from its reference over many responses, as sums that ranks add up, in each unit that a
 * controller may aim at.
 *
 * @param sequences responses counted
 * @param tokens their tokens
 * @param sum over all tokens
 * @param sumOfMeans over the responses, each one's mean over its tokens
 */
public record Divergence(double sequences, double tokens, double sum, double sumOfMeans) {
    /** Of no response. */
    public static final Divergence NONE = new Divergence(0, 0, 0, 0);

    /**
     * Of one response.
     *
     * @param estimates divergence at each token
     * @param mask which tokens the policy chose; at least one
     */
    public static Divergence of(double[] estimates, boolean[] mask) {
        double sum = 0;
        int tokens = 0;
        for (int t = 0; t < estimates.length; t++) {
            if (mask[t]) {
                sum += estimates[t];
                tokens++;
            }
        }
        if (tokens == 0) {
            throw new IllegalArgumentException("the response has no token that the policy chose");
        }
        return new Divergence(1, tokens, sum, sum / tokens);
    }

    /** Of these responses and others. */
    public Divergence plus(Divergence other) {
        return new Divergence(
                sequences + other.sequences, tokens + other.tokens, sum + other.sum, sumOfMeans + other.sumOfMeans);
    }

    /** As four numbers, for adding over ranks. */
    public double[] toArray() {
        return new double[] {sequences, tokens, sum, sumOfMeans};
    }

    /** From four numbers. */
    public static Divergence ofArray(double[] sums) {
        return new Divergence(sums[0], sums[1], sums[2], sums[3]);
    }

    /** The mean over responses of their sums. */
    public double perSequence() {
        return sum / sequences;
    }

    /** The mean over all tokens of all responses. */
    public double perToken() {
        return sum / tokens;
    }

    /** The mean over responses of their means, so that long ones weigh no more than short ones. */
    public double perTokenOfSequence() {
        return sumOfMeans / sequences;
    }

    /** What a controller compares with a target of this unit. */
    public double in(KlConfig.Unit unit) {
        return switch (unit) {
            case SEQUENCE_SUM -> perSequence();
            case TOKEN_MEAN -> perTokenOfSequence();
        };
    }

    /** The divergence of two distributions themselves, sum of p (log p - log q), from their log-probabilities. */
    public static double exact(double[] logP, double[] logQ) {
        double divergence = 0;
        for (int i = 0; i < logP.length; i++) {
            divergence += Math.exp(logP[i]) * (logP[i] - logQ[i]);
        }
        return divergence;
    }
}
