package io.rlhf4j.backend.cpu;

import static io.rlhf4j.backend.cpu.Int8Packing.BLOCK;

import io.rlhf4j.tensor.DType;

/**
 * Any number of fp32 rows times weights in the layout of {@link Int8Packing}: block by block these are made fp32, in memory
 * that stays in a core's second cache, and multiplied as packed fp32 weights. The sums are not scaled yet.
 */
final class Int8Product {
    private static final int WEIGHT_BUFFER = 6;
    /** Sums of a block that is not full: the product is of whole blocks. */
    private static final int LAST_BUFFER = 7;

    private Int8Product() {}

    /** {@code sums = x weightᵀ} over the part's inputs. */
    static void multiply(
            Rows x, int row, int rows, PackedWeight.Part part, PackedProducts.Sums sums, Workspace workspace) {
        int blocks = Int8Packing.blocks(part.outputs());
        int size = Math.toIntExact(part.memory().bytes() / blocks);
        NativeMemory wide = workspace.buffer(WEIGHT_BUFFER, 4L * size);
        for (int i = 0; i < blocks; i++) {
            long from = (long) i * size;
            Conversion.widenInt8(
                    part.memory().window(from),
                    NativeMemory.inWindow(from),
                    wide.window(0),
                    NativeMemory.inWindow(0),
                    size);
            int outputs = Math.min(BLOCK, part.outputs() - i * BLOCK);
            long place = sums.place() + 4L * i * BLOCK;
            PackedProducts.Sums target = outputs == BLOCK
                    ? new PackedProducts.Sums(sums.memory(), place, sums.stride())
                    : new PackedProducts.Sums(workspace.buffer(LAST_BUFFER, 4L * rows * BLOCK), 0, BLOCK);
            ProductShape shape =
                    ProductShape.ofPacked(rows, BLOCK, part.inputs(), DType.FP32, x.stride(), target.stride());
            workspace.product(shape).run(x.address(row, part.first()), wide.address(), target.address());
            for (int j = 0; outputs < BLOCK && j < rows; j++) {
                Span source = workspace.floatsAt(LAST_BUFFER, (long) j * BLOCK);
                long to = place + 4 * j * sums.stride();
                Object memory = sums.memory().window(to);
                Lanes.copy(source.memory, source.offset, memory, NativeMemory.inWindow(to), outputs);
            }
        }
    }
}
