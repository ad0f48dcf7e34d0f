package io.rlhf4j.model;

import io.rlhf4j.autograd.Operations;
import io.rlhf4j.autograd.Variable;
import io.rlhf4j.tensor.AttentionSpec;

/** Causal multi-head attention with grouped key and value heads; q, k and v come from one matrix product. */
final class SelfAttention {
    private final int layer;
    private final AttentionSpec spec;
    private final Projection qkv;
    private final Projection output;
    private final Normalization queryNorm;
    private final Normalization keyNorm;

    SelfAttention(TransformerConfig config, ParameterUnit unit, int layer) {
        TransformerConfig.Attention attention = config.attention();
        int width = attention.heads() * attention.headDim();
        double deviation = config.initializerRange();
        this.layer = layer;
        this.spec = new AttentionSpec(
                attention.heads(),
                attention.kvHeads(),
                attention.headDim(),
                attention.scale(),
                config.windows().get(layer),
                attention.softcap(),
                config.positions() instanceof PositionEncoding.Alibi ? alibiSlopes(attention.heads()) : null);
        this.qkv = new Projection(
                unit,
                "attention.qkv",
                attention.projectedSize(),
                config.hiddenSize(),
                attention.inputBias(),
                deviation);
        this.output = new Projection(
                unit,
                "attention.output",
                config.hiddenSize(),
                width,
                attention.outputBias(),
                deviation / Math.sqrt(2.0 * config.layers()));
        this.queryNorm = attention.headNorms()
                ? new Normalization(config.norm(), unit, "attention.queryNorm", attention.headDim())
                : null;
        this.keyNorm = attention.headNorms()
                ? new Normalization(config.norm(), unit, "attention.keyNorm", attention.headDim())
                : null;
    }

    /** @param residual what the result is added to; null for none */
    Variable forward(ForwardPass pass, Variable x, Variable residual) {
        Operations operations = pass.operations();
        int keys = spec.heads() * spec.headDim();
        int values = keys + spec.kvHeads() * spec.headDim();
        int end = values + spec.kvHeads() * spec.headDim();

        Variable projected = qkv.forward(operations, x);
        Variable q = operations.columns(projected, 0, keys);
        Variable k = operations.columns(projected, keys, values);
        Variable v = operations.columns(projected, values, end);
        if (queryNorm != null) {
            q = queryNorm.forwardHeads(operations, q);
            k = keyNorm.forwardHeads(operations, k);
        }
        if (pass.rotary() != null) {
            q = operations.rotate(pass.rotary(), q, pass.positions());
            k = operations.rotate(pass.rotary(), k, pass.positions());
        }
        return output.forward(operations, pass.attending().attend(operations, layer, spec, q, k, v), residual);
    }

    /** Slopes of Press et al. 2022: a geometric sequence; heads beyond a power of two take every other of the next. */
    static float[] alibiSlopes(int heads) {
        int power = Integer.highestOneBit(heads);
        float[] slopes = new float[heads];
        for (int head = 0; head < heads; head++) {
            slopes[head] = head < power
                    ? (float) Math.pow(2, -8.0 * (head + 1) / power)
                    : (float) Math.pow(2, -4.0 * (2 * (head - power) + 1) / power);
        }
        return slopes;
    }
}
