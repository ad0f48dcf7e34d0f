package io.rlhf4j.tensor;

/**
 * Causal attention of one layer.
 *
 * @param heads query heads
 * @param kvHeads key and value heads; query head h reads key head h / (heads / kvHeads)
 * @param headDim columns of one head
 * @param scale factor of the scores q.k
 * @param window how many positions back a query sees, itself included; 0 for all
 * @param softcap when positive, scores become softcap * tanh(score / softcap) (Gemma 2)
 * @param alibiSlopes slope of each head: slope * (key position - query position) is added to the scores (Press et al.
 *     2022); null without ALiBi
 */
public record AttentionSpec(
        int heads, int kvHeads, int headDim, float scale, int window, float softcap, float[] alibiSlopes) {
    public AttentionSpec {
        if (heads % kvHeads != 0) {
            throw new IllegalArgumentException(heads + " heads cannot share " + kvHeads + " key heads evenly");
        }
    }
}
