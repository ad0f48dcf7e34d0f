package io.rlhf4j.config;

import io.rlhf4j.tensor.DType;

/** Backend, precision and how much is computed at once. */
public record ComputeConfig(
        @Doc(
                        value =
                                "Backend that computes: `cpu`, `nd4j`, or `auto` for the best that this machine can run.",
                        preset = "auto")
                String backend,
        @Doc(
                        value =
                                "Type of weights and activations in training. With `bf16` the optimizer keeps fp32 masters.",
                        preset = "fp32")
                DType dtype,
        @Doc(value = "Type of gradients. Several micro-batches to a step are best summed in `fp32`.", preset = "fp32")
                DType gradients,
        @Doc(value = "Type of weights in generation.", preset = "fp32") DType generation,
        @Doc(
                        value =
                                "Tokens that one rank takes through a model at once; a step with more of them accumulates"
                                        + " gradients over several micro-batches.",
                        preset = "4096",
                        range = "[16, inf)")
                int microBatchTokens) {}
