package io.rlhf4j.advantage;

/**
 * The reward of each token of a response (Ziegler et al. 2019): a penalty on leaving the reference at every token, and the
 * clipped score at the last one.
 *
 * @param estimator of the divergence
 * @param scoreClip scores are clipped to +- this
 */
public record RewardShaping(KlEstimator estimator, double scoreClip) {
    /**
     * The rewards of one response.
     *
     * @param logProbs of its tokens under the policy that sampled it
     * @param referenceLogProbs under the reference
     * @param mask which tokens the policy chose; rewards elsewhere are 0
     * @param score of the whole response, given at its last token that the mask has
     * @param beta weight of the penalty
     */
    public double[] rewards(double[] logProbs, double[] referenceLogProbs, boolean[] mask, double score, double beta) {
        double[] rewards = new double[logProbs.length];
        int last = -1;
        for (int t = 0; t < rewards.length; t++) {
            if (mask[t]) {
                rewards[t] = -beta * estimator.value(logProbs[t] - referenceLogProbs[t]);
                last = t;
            }
        }
        if (last < 0) {
            throw new IllegalArgumentException("the response has no token that the policy chose");
        }
        rewards[last] += Math.max(-scoreClip, Math.min(scoreClip, score));
        return rewards;
    }
}
