package io.rlhf4j.driver.plan;

import io.rlhf4j.config.ComputeConfig;
import io.rlhf4j.tensor.DType;

/**
 * Bytes that one model takes on every rank, without sharding (ZeRO stage 0).
 *
 * @param model what it is in its step: {@code actor}, {@code reference} ...
 * @param parameters how many
 * @param weights bytes of the weights that compute
 * @param gradients bytes of gradients; 0 for a frozen model
 * @param optimizer bytes of moments, and of fp32 masters where the weights are bf16; 0 for a frozen model
 */
public record ModelMemory(String model, long parameters, long weights, long gradients, long optimizer) {
    private static final int MOMENTS = 2 * 4;
    private static final int MASTER = 4;

    /** A model that learns. */
    static ModelMemory trained(String model, long parameters, ComputeConfig compute) {
        boolean masters = compute.dtype() != DType.FP32;
        return new ModelMemory(
                model,
                parameters,
                parameters * compute.dtype().bytes(),
                parameters * compute.gradients().bytes(),
                parameters * (MOMENTS + (masters ? MASTER : 0)));
    }

    /** A model that only computes. */
    static ModelMemory frozen(String model, long parameters, DType type) {
        return new ModelMemory(model, parameters, parameters * type.bytes(), 0, 0);
    }

    /** All of it. */
    public long bytes() {
        return weights + gradients + optimizer;
    }
}
