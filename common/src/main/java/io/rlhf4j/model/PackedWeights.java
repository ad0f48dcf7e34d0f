package io.rlhf4j.model;

import io.rlhf4j.tensor.Scope;
import java.util.List;

/** A model's weights while they also lie as decoding reads them fastest: the inference side of one set of weights. */
public final class PackedWeights implements AutoCloseable {
    private final Scope copies;
    private final List<Parameter> weights;

    PackedWeights(Scope scope, List<Parameter> weights, DecodingWeights form, UnitHooks hooks) {
        this.copies = scope.child("packed weights");
        this.weights = weights;
        try {
            for (Parameter weight : weights) {
                hooks.beforeUse(weight.unit());
                weight.pack(copies, form);
                hooks.afterUse(weight.unit());
            }
        } catch (Throwable failed) {
            // Memory ran out, say: the model outlives that, and must not read copies that are gone.
            close();
            throw failed;
        }
    }

    /** Gives the copies' memory back. */
    @Override
    public void close() {
        weights.forEach(weight -> weight.unpack());
        copies.close();
    }
}
