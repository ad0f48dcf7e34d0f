package io.rlhf4j.workers.engine;

import io.rlhf4j.tensor.Scope;

/** Forward and backward of one micro-batch. */
@FunctionalInterface
public interface Backward {
    /**
     * Adds this micro-batch's share to the gradients of the model.
     *
     * @param work for activations; freed by the caller
     * @return its share of the step's loss: shares of all micro-batches of all ranks add up to the loss
     */
    double run(Scope work);
}
