package io.rlhf4j.workers.training;

import java.io.Serializable;
import java.util.Map;

/**
 * What the update of one iteration came to, the same on every rank.
 *
 * @param metrics by the names of metrics.jsonl
 * @param nextBeta weight of the KL penalty in the next iteration
 */
public record PpoUpdate(Map<String, Double> metrics, double nextBeta) implements Serializable {}
