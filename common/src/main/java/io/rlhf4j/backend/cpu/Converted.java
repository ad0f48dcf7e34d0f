package io.rlhf4j.backend.cpu;

import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Tensor;

/** A matrix in the type that a product wants: itself, or a copy in fp32. */
final class Converted implements AutoCloseable {
    private final NativeMemory copy;
    private final Rows rows;

    /** @param type that of {@code tensor}, or fp32 */
    Converted(WorkerPool workers, MemoryPool memories, Tensor tensor, DType type) {
        Rows given = Rows.of(tensor);
        if (given.type == type) {
            copy = null;
            rows = given;
            return;
        }
        int columns = tensor.columns();
        copy = memories.allocate(4L * given.count * columns);
        rows = Rows.of(Tensor.of(tensor.backend(), copy, DType.FP32, 0, given.count, columns));
        workers.forRanges(given.count, MatrixProducts.grain(columns), (from, to, workspace) -> {
            for (int row = from; row < to; row++) {
                long source = given.byteOffset(row, 0);
                long target = rows.byteOffset(row, 0);
                Conversion.widen(
                        given.memory.window(source),
                        NativeMemory.inWindow(source),
                        copy.window(target),
                        NativeMemory.inWindow(target),
                        columns);
            }
        });
    }

    Rows rows() {
        return rows;
    }

    @Override
    public void close() {
        if (copy != null) {
            copy.free();
        }
    }
}
