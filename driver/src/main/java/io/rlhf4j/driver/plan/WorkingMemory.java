package io.rlhf4j.driver.plan;

import io.rlhf4j.config.ComputeConfig;
import io.rlhf4j.config.SamplingConfig;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.DecodingWeights;
import io.rlhf4j.model.PositionEncoding;
import io.rlhf4j.model.TransformerConfig;
import java.util.stream.Stream;

/**
 * Memory beside the models.
 *
 * @param name what it is
 * @param phase when it is held
 * @param bytes how much
 */
public record WorkingMemory(String name, Phase phase, long bytes) {
    /** What the tape keeps of one forward pass for its backward pass, and what that computes again at once. */
    static WorkingMemory activations(TransformerConfig model, ComputeConfig compute, Phase phase) {
        TransformerConfig.Attention attention = model.attention();
        long queries = (long) attention.heads() * attention.headDim();
        long keys = (long) attention.kvHeads() * attention.headDim();
        long rotated = model.positions() instanceof PositionEncoding.Rotary ? queries + keys : 0;
        long attended = 5L * model.hiddenSize() + attention.projectedSize() + queries + rotated;
        // The norm before them and their own results.
        long fed = model.hiddenSize()
                + (long) model.feedForward().size() * (model.feedForward().gated() ? 3 : 2);
        long numbers =
                switch (compute.activationCheckpointing()) {
                    case OFF -> (attended + fed) * model.layers();
                    case SELECTIVE -> attended * model.layers() + fed;
                    case BLOCK -> (long) model.hiddenSize() * model.layers() + attended + fed;
                };
        return new WorkingMemory(
                "activations",
                phase,
                numbers * compute.microBatchTokens() * compute.dtype().bytes());
    }

    /** Keys and values of all responses that one task generates at once, at their longest. */
    static WorkingMemory cache(
            TransformerConfig model, ComputeConfig compute, int promptTokens, SamplingConfig sampling) {
        TransformerConfig.Attention attention = model.attention();
        long token = 2L * attention.kvHeads() * attention.headDim() * model.layers();
        long tokens = (long) sampling.batch() * (promptTokens + sampling.maxNewTokens());
        return new WorkingMemory(
                "cache",
                Phase.ROLLOUT,
                token * tokens * compute.generationOrDtype().bytes());
    }

    /** Weights as decoding reads them fastest, while one task generates; the largest of some forms. */
    static WorkingMemory packedWeights(TransformerConfig model, ComputeConfig compute, DecodingWeights... forms) {
        int bytes = Stream.of(forms)
                .mapToInt(form -> form.copiedBytes(compute.generationOrDtype()))
                .max()
                .orElse(0);
        return new WorkingMemory("packed weights", Phase.ROLLOUT, CausalLanguageModel.packedElements(model) * bytes);
    }
}
