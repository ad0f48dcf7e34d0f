package io.rlhf4j.config;

import io.rlhf4j.model.ActivationCheckpointing;
import io.rlhf4j.tensor.DType;
import java.util.Optional;

/** Backend, precision and how much is computed at once. */
public record ComputeConfig(
        @Doc(
                        value =
                                "Backend that computes: `cuda`, `cpu`, `nd4j`, or `auto` for the best that this machine can run.",
                        preset = "auto")
                String backend,
        @Doc(
                        value =
                                "Type of weights and activations in training. With `bf16` the optimizer keeps fp32 masters.",
                        preset = "fp32")
                DType dtype,
        @Doc(value = "Type of gradients. Several micro-batches to a step are best summed in `fp32`.", preset = "fp32")
                DType gradients,
        @Doc(
                        "Type of the actor's weights and of its cache in the generation of rollouts and evaluations. That of training"
                                + " when absent. Log-probabilities that a loss starts from are computed in the type of training.")
                Optional<DType> generation,
        @Doc(
                        value =
                                "Tokens that one rank takes through a model at once; a step with more of them accumulates"
                                        + " gradients over several micro-batches.",
                        preset = "4096",
                        range = "[16, inf)")
                int microBatchTokens,
        @Doc(
                        value =
                                "What training computes a second time instead of keeping it in memory: `off` nothing,"
                                        + " `selective` the feed-forward layers, `block` whole blocks. The results are the same.",
                        preset = "off")
                ActivationCheckpointing activationCheckpointing) {

    /** Type of the actor's weights in generation, for sure. */
    public DType generationOrDtype() {
        return generation.orElse(dtype);
    }
}
