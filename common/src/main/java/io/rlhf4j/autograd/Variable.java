package io.rlhf4j.autograd;

import io.rlhf4j.tensor.Tensor;

/** A result of a {@link Tape}'s operation: its value, and whether a gradient will flow through it. */
public final class Variable {
    private final Tensor value;
    private final Gradient gradient;

    Variable(Tensor value, Gradient gradient) {
        this.value = value;
        this.gradient = gradient;
    }

    /** The value; valid until its tape frees it: at the end of a region, or once backward has passed it. */
    public Tensor value() {
        return value;
    }

    /** Whether anything that is learned lies before this variable. */
    public boolean differentiable() {
        return gradient != null;
    }

    /** Null where the variable is not differentiable. */
    Gradient gradient() {
        return gradient;
    }
}
