package io.rlhf4j.model;

import io.rlhf4j.autograd.Operations;
import io.rlhf4j.autograd.Variable;
import io.rlhf4j.tensor.Activation;

/** A linear layer: weight [out, in], bias [out] or none. */
final class Projection {
    private final Parameter weight;
    private final Parameter bias;

    Projection(ParameterUnit unit, String name, int out, int in, boolean biased, double standardDeviation) {
        this.weight = unit.declare(name + ".weight", new Initialisation.Normal(standardDeviation), out, in);
        this.bias = biased ? unit.declare(name + ".bias", Initialisation.ZEROS, out) : null;
    }

    Variable forward(Operations operations, Variable x) {
        return operations.linear(x, weight, bias);
    }

    /** {@link #forward} and an activation. */
    Variable forward(Operations operations, Variable x, Activation f) {
        return operations.activatedLinear(f, x, weight, bias);
    }

    /** {@link #forward}, added to {@code residual} where it is not null. */
    Variable forward(Operations operations, Variable x, Variable residual) {
        return operations.addLinear(residual, x, weight, bias);
    }
}
