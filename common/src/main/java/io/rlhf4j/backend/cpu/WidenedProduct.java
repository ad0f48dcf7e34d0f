package io.rlhf4j.backend.cpu;

import io.rlhf4j.tensor.DType;

/**
 * Many fp32 rows times weights in the layout of {@link Bf16Packing}: these are made fp32 once, in the order in which packed
 * fp32 weights lie, and multiplied as such. oneDNN's product with bf16 makes them fp32 again and again, and takes a fifth
 * longer.
 */
final class WidenedProduct {
    private static final int FEWEST_ROWS = 128;
    /** Bytes of fp32 weights at most: each thread keeps its own. */
    private static final long MOST_BYTES = 32L << 20;

    private static final int WEIGHT_BUFFER = 6;

    private WidenedProduct() {}

    /** Whether weights of this size and layout, made fp32 one by one, are packed fp32 weights. */
    static boolean fits(OneDnn oneDnn, int outputs, int inputs, int block) {
        long bytes = oneDnn.packedBytes(DType.FP32, outputs, inputs);
        return block > 0
                && block == oneDnn.packedBlock(DType.FP32, outputs, inputs)
                && bytes == 2 * oneDnn.packedBytes(DType.BF16, outputs, inputs)
                && bytes <= MOST_BYTES;
    }

    /** Whether this is how to multiply so many rows. */
    static boolean suits(int rows, PackedWeight.Part part) {
        return rows >= FEWEST_ROWS && part.widens();
    }

    /** {@code sums = x weightᵀ} over the part's inputs. */
    static void multiply(
            Rows x, int row, int rows, PackedWeight.Part part, PackedProducts.Sums sums, Workspace workspace) {
        NativeMemory packed = part.memory();
        NativeMemory wide = workspace.buffer(WEIGHT_BUFFER, 2 * packed.bytes());
        Conversion.widen(
                packed.window(0),
                NativeMemory.inWindow(0),
                wide.window(0),
                NativeMemory.inWindow(0),
                Math.toIntExact(packed.bytes() / DType.BF16.bytes()));
        ProductShape shape =
                ProductShape.ofPacked(rows, part.outputs(), part.inputs(), DType.FP32, x.stride(), sums.stride());
        workspace.product(shape).run(x.address(row, part.first()), wide.address(), sums.address());
    }
}
