package io.rlhf4j.model;

import io.rlhf4j.autograd.Operations;
import io.rlhf4j.autograd.Variable;

/** A normalisation layer: layer norm (Ba et al. 2016) or RMS norm (Zhang and Sennrich 2019). */
final class Normalization {
    private final TransformerConfig.Norm config;
    private final Parameter weight;
    private final Parameter bias;

    Normalization(TransformerConfig.Norm config, ParameterUnit unit, String name, int size) {
        this.config = config;
        Initialisation start = config.weightOffset() == 0f ? Initialisation.ONES : Initialisation.ZEROS;
        this.weight = unit.declare(name + ".weight", start, size);
        this.bias = config.kind() == TransformerConfig.Norm.Kind.LAYER
                ? unit.declare(name + ".bias", Initialisation.ZEROS, size)
                : null;
    }

    Variable forward(Operations operations, Variable x) {
        return switch (config.kind()) {
            case LAYER -> operations.layerNorm(x, weight, bias, config.epsilon());
            case RMS -> operations.rmsNorm(x, weight, config.weightOffset(), config.epsilon());
        };
    }

    /** Normalises every head's columns on its own; RMS norm only. */
    Variable forwardHeads(Operations operations, Variable x) {
        return operations.headNorm(x, weight, config.weightOffset(), config.epsilon());
    }
}
