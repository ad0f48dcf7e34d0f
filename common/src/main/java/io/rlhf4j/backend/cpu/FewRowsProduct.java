package io.rlhf4j.backend.cpu;

import static io.rlhf4j.backend.cpu.Lanes.WIDTH;

import jdk.incubator.vector.FloatVector;

/**
 * A few fp32 rows times weights in the layout of {@link Bf16Packing}, which are read once and in their order: at the speed
 * of memory, twice that of oneDNN. Each sum runs in the order of the inputs, as oneDNN's do for this layout up to some
 * length: the bits are the same then, and a row may be alone now and beside others later.
 */
final class FewRowsProduct {
    /** From four rows on oneDNN, which converts a weight once for several rows, is as fast. */
    static final int MOST_ROWS = 3;

    private static final int VECTORS = 8;
    private static final int SUM_BUFFER = 2;
    private static final int ORDER_BUFFER = 3;

    private FewRowsProduct() {}

    /** Whether this is how to multiply so many rows. By buffers the kernel would be slower than oneDNN. */
    static boolean suits(int rows, PackedWeight.Part part) {
        return LaneHandles.BY_ADDRESS && rows <= MOST_ROWS && fits(part);
    }

    /** Whether a block of the layout is what the kernel sums at once. */
    static boolean fits(PackedWeight.Part part) {
        return part.block() == VECTORS * WIDTH;
    }

    /** {@code out = x weightᵀ} over the part's inputs. */
    static void multiply(
            Rows x, int row, int rows, PackedWeight.Part part, PackedProducts.Sums out, Workspace workspace) {
        int block = part.block();
        int blocks = (part.outputs() + block - 1) / block;
        long blockBytes = part.memory().bytes() / blocks;
        Span sums = workspace.floats(SUM_BUFFER, block);
        Span ordered = workspace.floats(ORDER_BUFFER, block);
        for (int i = 0; i < blocks; i++) {
            long weights = i * blockBytes;
            int outputs = Math.min(block, part.outputs() - i * block);
            for (int j = 0; j < rows; j++) {
                long input = x.byteOffset(row + j, part.first());
                sum(
                        x.memory.window(input),
                        NativeMemory.inWindow(input),
                        part.memory().window(weights),
                        NativeMemory.inWindow(weights),
                        part.inputs(),
                        sums.memory,
                        sums.offset);
                order(sums.memory, sums.offset, ordered.memory, ordered.offset);
                long target = out.place() + 4 * (j * out.stride() + (long) i * block);
                Object memory = out.memory().window(target);
                Lanes.copy(ordered.memory, ordered.offset, memory, NativeMemory.inWindow(target), outputs);
            }
        }
    }

    /** The sums of a block, those of even outputs and of odd ones in vectors by turns. */
    private static void sum(Object x, long xAt, Object weights, long weightsAt, int inputs, Object out, long outAt) {
        FloatVector even0 = Lanes.broadcast(0f);
        FloatVector even1 = even0;
        FloatVector even2 = even0;
        FloatVector even3 = even0;
        FloatVector odd0 = even0;
        FloatVector odd1 = even0;
        FloatVector odd2 = even0;
        FloatVector odd3 = even0;
        long at = weightsAt;
        for (int i = 0; i < inputs; i++) {
            FloatVector input = Lanes.broadcast(Lanes.get(x, xAt + 4L * i));
            FloatVector pairs = Lanes.load(weights, at);
            even0 = input.fma(Lanes.lowerBf16(pairs), even0);
            odd0 = input.fma(Lanes.upperBf16(pairs), odd0);
            pairs = Lanes.load(weights, at + 4L * WIDTH);
            even1 = input.fma(Lanes.lowerBf16(pairs), even1);
            odd1 = input.fma(Lanes.upperBf16(pairs), odd1);
            pairs = Lanes.load(weights, at + 8L * WIDTH);
            even2 = input.fma(Lanes.lowerBf16(pairs), even2);
            odd2 = input.fma(Lanes.upperBf16(pairs), odd2);
            pairs = Lanes.load(weights, at + 12L * WIDTH);
            even3 = input.fma(Lanes.lowerBf16(pairs), even3);
            odd3 = input.fma(Lanes.upperBf16(pairs), odd3);
            at += 2L * VECTORS * WIDTH;
        }
        Lanes.store(even0, out, outAt);
        Lanes.store(odd0, out, outAt + 4L * WIDTH);
        Lanes.store(even1, out, outAt + 8L * WIDTH);
        Lanes.store(odd1, out, outAt + 12L * WIDTH);
        Lanes.store(even2, out, outAt + 16L * WIDTH);
        Lanes.store(odd2, out, outAt + 20L * WIDTH);
        Lanes.store(even3, out, outAt + 24L * WIDTH);
        Lanes.store(odd3, out, outAt + 28L * WIDTH);
    }

    private static void order(Object sums, long sumsAt, Object out, long outAt) {
        for (int i = 0; i < VECTORS; i += 2) {
            FloatVector even = Lanes.load(sums, sumsAt + 4L * WIDTH * i);
            FloatVector odd = Lanes.load(sums, sumsAt + 4L * WIDTH * (i + 1));
            Lanes.store(Lanes.firstHalvesByTurns(even, odd), out, outAt + 4L * WIDTH * i);
            Lanes.store(Lanes.lastHalvesByTurns(even, odd), out, outAt + 4L * WIDTH * (i + 1));
        }
    }
}
