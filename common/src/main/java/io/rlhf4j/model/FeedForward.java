package io.rlhf4j.model;

import io.rlhf4j.autograd.Operations;
import io.rlhf4j.autograd.Variable;

/** The position-wise network; gate and up projection of a gated one are one matrix product. */
final class FeedForward {
    private final TransformerConfig.FeedForward config;
    private final Projection input;
    private final Projection output;

    FeedForward(TransformerConfig config, ParameterUnit unit) {
        this.config = config.feedForward();
        int inner = this.config.size();
        double deviation = config.initializerRange();
        this.input = new Projection(
                unit,
                "feedForward.input",
                this.config.gated() ? 2 * inner : inner,
                config.hiddenSize(),
                this.config.bias(),
                deviation);
        this.output = new Projection(
                unit,
                "feedForward.output",
                config.hiddenSize(),
                inner,
                this.config.bias(),
                deviation / Math.sqrt(2.0 * config.layers()));
    }

    /** @param residual what the result is added to; null for none */
    Variable forward(Operations operations, Variable x, Variable residual) {
        Variable activated = config.gated()
                ? operations.activateGated(config.activation(), input.forward(operations, x))
                : input.forward(operations, x, config.activation());
        return output.forward(operations, activated, residual);
    }
}
