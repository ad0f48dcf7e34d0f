package io.rlhf4j.model;

/**
 * What a language model says of chosen tokens.
 *
 * @param logProbs log-probability of each target, [rows]
 * @param entropies entropy of the distribution each was chosen from, in nats, [rows]; null when not asked for
 */
public record TokenLogProbs(float[] logProbs, float[] entropies) {}
