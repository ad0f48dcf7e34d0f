package io.rlhf4j.workers.engine;

import io.rlhf4j.format.NamedTensor;
import io.rlhf4j.model.Parameter;
import io.rlhf4j.tensor.Tensor;

/**
 * The part of a parameter that lies in a {@link UnitRange}.
 *
 * @param from first element, counted within the parameter
 * @param to end, exclusive
 * @param offset where it begins in a tensor of the range
 */
record ParameterSlice(Parameter parameter, int from, int to, int offset) {

    /** The part's view of a flat tensor of the range. */
    Tensor of(Tensor held) {
        return held.slice(offset, offset + to - from);
    }

    /** For a checkpoint: {@code kind/parameter} in its shape, or {@code kind/parameter[from:to]}, flat, of a part. */
    NamedTensor named(String kind, Tensor held) {
        String name = kind + "/" + parameter.name();
        return to - from == parameter.elements()
                ? NamedTensor.of(name, of(held).reshape(parameter.shape()))
                : NamedTensor.of("%s[%d:%d]".formatted(name, from, to), of(held));
    }
}
