package io.rlhf4j.backend.cpu;

import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Tensor;
import java.nio.ByteBuffer;

/** A tensor as rows in native memory. */
final class Rows {
    final NativeMemory memory;
    final DType type;
    final int count;
    final long columns;
    private final long start;
    private final long stride;

    private Rows(NativeMemory memory, DType type, long start, long stride, int count, long columns) {
        this.memory = memory;
        this.type = type;
        this.start = start;
        this.stride = stride;
        this.count = count;
        this.columns = columns;
    }

    /** The rows of {@code tensor}, which may be a column view. */
    static Rows of(Tensor tensor) {
        int size = tensor.type().bytes();
        return new Rows(
                memory(tensor),
                tensor.type(),
                tensor.offset() * size,
                tensor.rowStride() * size,
                tensor.rows(),
                tensor.columns());
    }

    /** All elements of a contiguous tensor as one row. */
    static Rows flat(Tensor tensor) {
        tensor.requireContiguous();
        int size = tensor.type().bytes();
        return new Rows(memory(tensor), tensor.type(), tensor.offset() * size, 0, 1, tensor.elements());
    }

    private static NativeMemory memory(Tensor tensor) {
        if (tensor.storage() instanceof NativeMemory memory) {
            return memory;
        }
        if (tensor.storage() instanceof PackedWeight) {
            throw new IllegalArgumentException(tensor + " is packed, for linear layers and logits alone");
        }
        throw new IllegalArgumentException(tensor + " belongs to backend "
                + tensor.backend().name() + "; the cpu backend cannot reach its memory");
    }

    boolean isBf16() {
        return type == DType.BF16;
    }

    /** Elements from one row to the next. */
    long stride() {
        return stride / type.bytes();
    }

    /** Where an element lies in {@link #memory}. */
    long byteOffset(long row, long column) {
        return start + row * stride + column * type.bytes();
    }

    /** Where an element lies in the process. */
    long address(long row, long column) {
        return memory.address() + byteOffset(row, column);
    }

    /** The rows, which follow each other, as bytes in the process. */
    ByteBuffer bytes() {
        return memory.bytes(start, Math.multiplyExact(Math.toIntExact(count * columns), type.bytes()));
    }
}
