package io.rlhf4j.format;

import java.util.List;

/**
 * What a file says about one of its tensors.
 *
 * @param name unique within the file or directory
 * @param type of the elements as they are stored
 * @param shape lengths of all dimensions, outermost first; empty for a single number
 */
public record TensorInfo(String name, ElementType type, List<Integer> shape) {
    public TensorInfo {
        shape = List.copyOf(shape);
    }

    /** The number of elements. */
    public long elements() {
        long elements = 1;
        for (int length : shape) {
            elements = Math.multiplyExact(elements, (long) length);
        }
        return elements;
    }
}
