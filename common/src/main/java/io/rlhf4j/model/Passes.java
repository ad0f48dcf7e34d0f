package io.rlhf4j.model;

import java.util.List;

/** How passes of a model without gradients are run: here, or by all ranks together that hold parts of the model. */
@FunctionalInterface
public interface Passes {
    /** Those of a model that is whole here. */
    Passes HERE = passes -> passes.forEach(Runnable::run);

    /**
     * Runs passes, in order. Where ranks hold a model together all of them call, each with its own passes, however many it
     * has.
     */
    void forward(List<Runnable> passes);
}
