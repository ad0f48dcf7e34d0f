package io.rlhf4j.backend.cuda;

import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Tensor;

/**
 * A tensor as kernels see it.
 *
 * @param address of its first element on the device
 * @param stride elements from one row to the next
 * @param rows how many rows
 * @param columns of each
 * @param type of the elements
 */
record Matrix(long address, long stride, int rows, int columns, DType type) {
    private static final int WIDE_BYTES = 16;
    static final int WIDE_FLAG = 0x100;

    static Matrix of(Tensor tensor) {
        if (!(tensor.storage() instanceof DeviceMemory memory)) {
            throw new IllegalArgumentException(tensor + " does not lie in this backend's memory");
        }
        long address = memory.address() + tensor.offset() * tensor.type().bytes();
        return new Matrix(address, tensor.rowStride(), tensor.rows(), tensor.columns(), tensor.type());
    }

    /** A contiguous matrix in memory that serves one operation. */
    static Matrix in(DeviceMemory memory, DType type, int rows, int columns) {
        return new Matrix(memory.address(), columns, rows, columns, type);
    }

    /** Rows {@code from} to {@code to} (exclusive). */
    Matrix slice(int from, int to) {
        return new Matrix(address + from * stride * type.bytes(), stride, to - from, columns, type);
    }

    boolean isBf16() {
        return type == DType.BF16;
    }

    boolean isContiguous() {
        return stride == columns || rows <= 1;
    }

    long elements() {
        return (long) rows * columns;
    }

    /** Whether every row begins at a multiple of 16 bytes. */
    boolean isWide() {
        return address % WIDE_BYTES == 0 && (rows <= 1 || stride * type.bytes() % WIDE_BYTES == 0);
    }

    /** What kernels are told of their tensors: a bit for each that is bf16, and whether all are wide. Null is absent. */
    static int flags(Matrix... matrices) {
        int flags = WIDE_FLAG;
        for (int i = 0; i < matrices.length; i++) {
            if (matrices[i] != null) {
                flags |= matrices[i].isBf16() ? 1 << i : 0;
                flags &= matrices[i].isWide() ? -1 : ~WIDE_FLAG;
            }
        }
        return flags;
    }

    static Matrix ofNullable(Tensor tensor) {
        return tensor == null ? null : of(tensor);
    }

    static long address(Matrix matrix) {
        return matrix == null ? 0 : matrix.address;
    }
}
