package io.rlhf4j.generation;

/**
 * One finished sample.
 *
 * @param ids its tokens, the end token included
 * @param logProbs of each token when it was chosen, at the sampling temperature
 * @param finishReason why it ended
 */
public record Generation(int[] ids, float[] logProbs, FinishReason finishReason) {}
