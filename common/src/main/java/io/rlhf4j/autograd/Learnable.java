package io.rlhf4j.autograd;

import io.rlhf4j.tensor.Tensor;

/**
 * A weight as operations see it. Both tensors are asked for anew each time they are used, in the backward pass too, so
 * that a sharded weight may be gathered shortly before and released after.
 */
public interface Learnable {
    /** The weight. */
    Tensor value();

    /** The weight as the factor of a linear layer: {@link #value()}, or the same in a layout made for products. */
    default Tensor factor() {
        return value();
    }

    /** Where its gradient is added up, of the same shape; null when it is frozen, or there is no memory for it yet. */
    Tensor gradient();

    /** Whether it has a gradient. The memory may come as late as the first addition to it. */
    default boolean learned() {
        return gradient() != null;
    }
}
