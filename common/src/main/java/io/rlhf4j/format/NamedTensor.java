package io.rlhf4j.format;

import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Tensor;
import java.util.Arrays;

/**
 * A tensor to be written to a file: what it is, and where its elements come from.
 *
 * @param info name, stored type (a floating-point one) and shape
 * @param values its elements as fp32, rounded to the stored type
 */
public record NamedTensor(TensorInfo info, FloatSource values) {
    public NamedTensor {
        if (!info.type().floating()) {
            throw new IllegalArgumentException(
                    "tensor '%s': only floating-point types are written, not %s".formatted(info.name(), info.type()));
        }
    }

    /** A contiguous tensor in its own type and shape. */
    public static NamedTensor of(String name, Tensor tensor) {
        ElementType type = tensor.type() == DType.BF16 ? ElementType.BF16 : ElementType.F32;
        return new NamedTensor(
                new TensorInfo(name, type, Arrays.stream(tensor.shape()).boxed().toList()), FloatSource.of(tensor));
    }

    /** Bytes of all elements as stored. */
    long bytes() {
        return info.elements() * info.type().bytes();
    }
}
