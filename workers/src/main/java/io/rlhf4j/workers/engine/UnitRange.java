package io.rlhf4j.workers.engine;

import io.rlhf4j.model.Parameter;
import io.rlhf4j.model.ParameterUnit;
import io.rlhf4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** The elements of a unit's flat tensors from {@code from} to {@code to} (exclusive): what one rank holds of them. */
record UnitRange(ParameterUnit unit, int from, int to) {

    static UnitRange whole(ParameterUnit unit) {
        return new UnitRange(unit, 0, unit.elements());
    }

    int elements() {
        return to - from;
    }

    /** The range's view of a flat tensor of the whole unit. */
    Tensor of(Tensor whole) {
        return whole.slice(from, to);
    }

    /** The range's view of a flat tensor of {@code larger}, in which it lies. */
    Tensor of(Tensor held, UnitRange larger) {
        return held.slice(from - larger.from, to - larger.from);
    }

    /** The parts of parameters that lie in the range, in order. */
    List<ParameterSlice> slices() {
        List<ParameterSlice> slices = new ArrayList<>();
        for (Parameter parameter : unit.parameters()) {
            int begin = Math.max(from, parameter.offset());
            int end = Math.min(to, parameter.offset() + parameter.elements());
            if (begin < end) {
                slices.add(new ParameterSlice(
                        parameter, begin - parameter.offset(), end - parameter.offset(), begin - from));
            }
        }
        return slices;
    }
}
