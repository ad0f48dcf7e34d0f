package io.rlhf4j.backend.cpu;

import static io.rlhf4j.backend.cpu.Int8Packing.BLOCK;

import io.rlhf4j.tensor.DType;

/**
 * Any number of fp32 rows times weights in the layout of {@link Int8Packing}: block by block these are made fp32, in memory
 * that stays in a core's second cache, and multiplied as packed fp32 weights. The sums are not scaled yet.
 */
final class Int8Product {
    private static final int WEIGHT_BUFFER = 6;
    private static final int LAST_BUFFER = 7;

    private Int8Product() {}

    /** {@code sums = x weightᵀ} over the part's inputs. */
    static void multiply(
            Rows x, int row, int rows, PackedWeight.Part part, PackedProducts.Sums sums, Workspace workspace) {
        int inputs = part.inputs();
        int size = BLOCK * inputs;
        Span wide = workspace.floats(WEIGHT_BUFFER, size);
        long wideAddress = workspace.buffer(WEIGHT_BUFFER, 4L * size).address();
        for (int i = 0; i < Int8Packing.blocks(part.outputs()); i++) {
            long from = (long) i * size;
            Conversion.widenInt8(
                    part.memory().window(from), NativeMemory.inWindow(from), wide.memory, wide.offset, size);
            int outputs = Math.min(BLOCK, part.outputs() - i * BLOCK);
            long to = sums.place() + 4L * i * BLOCK;
            PackedProducts.Sums block = outputs == BLOCK
                    ? new PackedProducts.Sums(sums.memory(), to, sums.stride())
                    : new PackedProducts.Sums(workspace.buffer(LAST_BUFFER, 4L * rows * BLOCK), 0, BLOCK);
            ProductShape shape = ProductShape.ofPacked(rows, BLOCK, inputs, DType.FP32, x.stride(), block.stride());
            workspace.product(shape).run(x.address(row, part.first()), wideAddress, block.address());
            if (outputs < BLOCK) {
                for (int j = 0; j < rows; j++) {
                    long target = to + 4L * j * sums.stride();
                    Span source = workspace.floatsAt(LAST_BUFFER, (long) j * BLOCK);
                    Lanes.copy(
                            source.memory,
                            source.offset,
                            sums.memory().window(target),
                            NativeMemory.inWindow(target),
                            outputs);
                }
            }
        }
    }
}
