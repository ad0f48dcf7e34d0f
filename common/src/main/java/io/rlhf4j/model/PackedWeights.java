package io.rlhf4j.model;

import io.rlhf4j.tensor.Scope;
import java.util.List;

/** A model's weights while they also lie as decoding reads them fastest: the inference side of one set of weights. */
public final class PackedWeights implements AutoCloseable {
    private final Scope copies;
    private final List<Parameter> weights;

    PackedWeights(Scope scope, List<Parameter> weights, UnitHooks hooks) {
        this.copies = scope.child("packed weights");
        this.weights = weights;
        for (Parameter weight : weights) {
            hooks.beforeUse(weight.unit());
            weight.pack(copies);
            hooks.afterUse(weight.unit());
        }
    }

    /** Bytes of the copies. */
    public long bytes() {
        return copies.bytes();
    }

    /** Gives the copies' memory back. */
    @Override
    public void close() {
        weights.forEach(weight -> weight.pack(null));
        copies.close();
    }
}
