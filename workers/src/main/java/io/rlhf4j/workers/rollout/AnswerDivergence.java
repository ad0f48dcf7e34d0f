package io.rlhf4j.workers.rollout;

import io.rlhf4j.batch.PackedRows;
import io.rlhf4j.batch.RowShares;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.tensor.Scope;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How far answers of an actor lie from its reference: of each the sum over its tokens of log(p / p_ref), whose mean over
 * sampled answers estimates the KL divergence of a sequence, in nats.
 */
public final class AnswerDivergence {
    private final CausalLanguageModel actor;
    private final CausalLanguageModel reference;
    private final float temperature;
    private final int microBatchTokens;

    /**
     * Between two models, which compute in the same type.
     *
     * @param temperature that the answers were sampled at
     * @param microBatchTokens tokens taken through a model at once
     */
    public AnswerDivergence(
            CausalLanguageModel actor, CausalLanguageModel reference, double temperature, int microBatchTokens) {
        this.actor = actor;
        this.reference = reference;
        this.temperature = (float) temperature;
        this.microBatchTokens = microBatchTokens;
    }

    /**
     * The divergence of each answer, in nats.
     *
     * @param prompts token ids, as many prompts as answers
     * @param scope for activations
     */
    public double[] of(List<int[]> prompts, List<int[]> answers, Scope scope) {
        double[] divergence = new double[answers.size()];
        List<Integer> indices = IntStream.range(0, answers.size()).boxed().toList();
        for (List<Integer> batch : RowShares.microBatches(
                indices, index -> prompts.get(index).length + answers.get(index).length, microBatchTokens)) {
            PackedRows packed = PackedRows.ofAnswers(
                    batch.stream().map(prompts::get).toList(),
                    batch.stream().map(answers::get).toList());
            try (Scope work = scope.child("divergence")) {
                float[] own = logProbs(actor, packed, work);
                float[] others = logProbs(reference, packed, work);
                for (int i = 0; i < batch.size(); i++) {
                    divergence[batch.get(i)] = IntStream.range(packed.ends()[i], packed.ends()[i + 1])
                            .mapToDouble(token -> (double) own[token] - others[token])
                            .sum();
                }
            }
        }
        return divergence;
    }

    private float[] logProbs(CausalLanguageModel model, PackedRows packed, Scope scope) {
        return model.logProbs(scope, packed.batch(), packed.rows(), packed.targets(), temperature, false)
                .logProbs();
    }
}
