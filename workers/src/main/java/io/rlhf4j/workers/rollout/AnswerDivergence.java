package io.rlhf4j.workers.rollout;

import io.rlhf4j.batch.PackedRows;
import io.rlhf4j.batch.RowShares;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.ModelPasses;
import io.rlhf4j.tensor.Scope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How far answers of an actor lie from its reference: of each the sum over its tokens of log(p / p_ref), whose mean over
 * sampled answers estimates the KL divergence of a sequence, in nats.
 */
public final class AnswerDivergence {
    private final ModelPasses<CausalLanguageModel> actor;
    private final ModelPasses<CausalLanguageModel> reference;
    private final float temperature;
    private final int microBatchTokens;

    /**
     * Between two models, which compute in the same type. Where ranks hold them together all ranks ask.
     *
     * @param temperature that the answers were sampled at
     * @param microBatchTokens tokens taken through a model at once
     */
    public AnswerDivergence(
            ModelPasses<CausalLanguageModel> actor,
            ModelPasses<CausalLanguageModel> reference,
            double temperature,
            int microBatchTokens) {
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
        List<Integer> indices = IntStream.range(0, answers.size()).boxed().toList();
        List<List<Integer>> microBatches = RowShares.microBatches(
                indices, index -> prompts.get(index).length + answers.get(index).length, microBatchTokens);
        float[][] own = logProbs(actor, prompts, answers, microBatches, scope);
        float[][] others = logProbs(reference, prompts, answers, microBatches, scope);
        return indices.stream()
                .mapToDouble(index -> IntStream.range(0, own[index].length)
                        .mapToDouble(token -> (double) own[index][token] - others[index][token])
                        .sum())
                .toArray();
    }

    private float[][] logProbs(
            ModelPasses<CausalLanguageModel> asked,
            List<int[]> prompts,
            List<int[]> answers,
            List<List<Integer>> microBatches,
            Scope scope) {
        float[][] logProbs = new float[answers.size()][];
        List<Runnable> passes = new ArrayList<>();
        for (List<Integer> batch : microBatches) {
            passes.add(() -> {
                PackedRows packed = PackedRows.ofAnswers(
                        batch.stream().map(prompts::get).toList(),
                        batch.stream().map(answers::get).toList());
                try (Scope work = scope.child("divergence")) {
                    float[] all = asked.model()
                            .logProbs(work, packed.batch(), packed.rows(), packed.targets(), temperature, false)
                            .logProbs();
                    for (int i = 0; i < batch.size(); i++) {
                        logProbs[batch.get(i)] = Arrays.copyOfRange(all, packed.ends()[i], packed.ends()[i + 1]);
                    }
                }
            });
        }
        asked.passes().forward(passes);
        return logProbs;
    }
}
