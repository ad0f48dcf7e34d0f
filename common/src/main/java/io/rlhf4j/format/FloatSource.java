package io.rlhf4j.format;

import io.rlhf4j.tensor.Tensor;
import java.io.IOException;

/** Gives the elements of a tensor that is being written, piece by piece, in ascending order. */
@FunctionalInterface
public interface FloatSource {
    /** Puts the {@code count} elements from {@code offset} on into {@code target[0 .. count)}. */
    void read(long offset, float[] target, int count) throws IOException;

    /** The elements of {@code values}. */
    static FloatSource of(float[] values) {
        return (offset, target, count) -> System.arraycopy(values, Math.toIntExact(offset), target, 0, count);
    }

    /** The elements of a contiguous tensor, copied from its backend a piece at a time. */
    static FloatSource of(Tensor tensor) {
        Tensor flat = tensor.flatten();
        return (offset, target, count) -> {
            int from = Math.toIntExact(offset);
            flat.backend().read(flat.slice(from, from + count), target, 0);
        };
    }
}
