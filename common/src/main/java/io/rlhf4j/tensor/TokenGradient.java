package io.rlhf4j.tensor;

/**
 * The derivative of a loss that is a sum over tokens, asked for one token at a time as soon as its log-probability is
 * known, so that logits are computed once and never kept.
 */
public interface TokenGradient {
    /** d loss / d logProb of token {@code index}. */
    float ofLogProb(int index, float logProb, float entropy);

    /** d loss / d entropy of the distribution at token {@code index}; 0 where the loss has no entropy term. */
    default float ofEntropy(int index, float logProb, float entropy) {
        return 0f;
    }
}
