package io.rlhf4j.workers.rollout;

import java.util.Map;

/**
 * What the models say of an answer. Arrays have one entry for each response token; 0 where it is not trained on.
 *
 * @param score what the answer is worth
 * @param parts of the score by name
 * @param oldLogProbs of the actor's training forward
 * @param referenceLogProbs of the reference; those of the actor where there is none
 * @param values of the critic
 */
public record Judgement(
        double score, Map<String, Double> parts, float[] oldLogProbs, float[] referenceLogProbs, float[] values) {
    public Judgement {
        parts = Map.copyOf(parts);
    }
}
