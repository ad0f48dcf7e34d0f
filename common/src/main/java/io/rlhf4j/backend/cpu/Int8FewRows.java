package io.rlhf4j.backend.cpu;

import static io.rlhf4j.backend.cpu.Int8Packing.BLOCK;
import static io.rlhf4j.backend.cpu.Lanes.WIDTH;

import jdk.incubator.vector.FloatVector;

/**
 * A few fp32 rows times weights in the layout of {@link Int8Packing}, which come from memory once. Two rows share what it
 * takes to make a weight fp32. Each sum runs in the order of the inputs, as {@link Int8Product}'s do up to some length: the
 * bits are the same then. The sums are not scaled yet.
 */
final class Int8FewRows {
    /** From nine rows on weights that are made fp32 once for all rows are as fast. */
    static final int MOST_ROWS = 8;

    private static final int SUM_BUFFER = 2;

    private Int8FewRows() {}

    /** Whether this is how to multiply so many rows. By buffers the kernels would be slower than oneDNN. */
    static boolean suits(int rows, PackedWeight.Part part) {
        return LaneHandles.BY_ADDRESS && rows <= MOST_ROWS && part.int8();
    }

    /** {@code out = x weightᵀ} over the part's inputs. */
    static void multiply(
            Rows x, int row, int rows, PackedWeight.Part part, PackedProducts.Sums out, Workspace workspace) {
        int blocks = Int8Packing.blocks(part.outputs());
        long blockBytes = part.memory().bytes() / blocks;
        Span sums = workspace.floats(SUM_BUFFER, 2L * BLOCK);
        for (int i = 0; i < blocks; i++) {
            Object weights = part.memory().window(i * blockBytes);
            long at = NativeMemory.inWindow(i * blockBytes);
            int outputs = Math.min(BLOCK, part.outputs() - i * BLOCK);
            for (int j = 0; j < rows; j += 2) {
                int together = Math.min(2, rows - j);
                long first = x.byteOffset(row + j, part.first());
                long last = x.byteOffset(row + j + together - 1, part.first());
                Object a = x.memory.window(first);
                Object b = x.memory.window(last);
                long aAt = NativeMemory.inWindow(first);
                long bAt = NativeMemory.inWindow(last);
                if (together == 1) {
                    one(a, aAt, weights, at, part.inputs(), sums.memory, sums.offset);
                } else {
                    half(a, aAt, b, bAt, weights, at, part.inputs(), sums.memory, sums.offset);
                    long other = sums.offset + 2L * BLOCK;
                    half(a, aAt, b, bAt, weights, at + BLOCK / 2, part.inputs(), sums.memory, other);
                }
                for (int k = 0; k < together; k++) {
                    long target = out.place() + 4 * ((j + k) * out.stride() + (long) i * BLOCK);
                    Object memory = out.memory().window(target);
                    long from = sums.offset + 4L * k * BLOCK;
                    Lanes.copy(sums.memory, from, memory, NativeMemory.inWindow(target), outputs);
                }
            }
        }
    }

    /** The sums of a block for one row. */
    private static void one(Object x, long xAt, Object weights, long weightsAt, int inputs, Object out, long outAt) {
        FloatVector sum0 = Lanes.broadcast(0f);
        FloatVector sum1 = sum0;
        FloatVector sum2 = sum0;
        FloatVector sum3 = sum0;
        FloatVector sum4 = sum0;
        FloatVector sum5 = sum0;
        FloatVector sum6 = sum0;
        FloatVector sum7 = sum0;
        long at = weightsAt;
        for (int i = 0; i < inputs; i++) {
            FloatVector input = Lanes.broadcast(Lanes.get(x, xAt + 4L * i));
            FloatVector words = Lanes.load(weights, at);
            sum0 = input.fma(Lanes.int8(words, 0), sum0);
            sum1 = input.fma(Lanes.int8(words, 1), sum1);
            sum2 = input.fma(Lanes.int8(words, 2), sum2);
            sum3 = input.fma(Lanes.int8(words, 3), sum3);
            words = Lanes.load(weights, at + 4L * WIDTH);
            sum4 = input.fma(Lanes.int8(words, 0), sum4);
            sum5 = input.fma(Lanes.int8(words, 1), sum5);
            sum6 = input.fma(Lanes.int8(words, 2), sum6);
            sum7 = input.fma(Lanes.int8(words, 3), sum7);
            at += BLOCK;
        }
        Lanes.store(sum0, out, outAt);
        Lanes.store(sum1, out, outAt + 4L * WIDTH);
        Lanes.store(sum2, out, outAt + 8L * WIDTH);
        Lanes.store(sum3, out, outAt + 12L * WIDTH);
        Lanes.store(sum4, out, outAt + 16L * WIDTH);
        Lanes.store(sum5, out, outAt + 20L * WIDTH);
        Lanes.store(sum6, out, outAt + 24L * WIDTH);
        Lanes.store(sum7, out, outAt + 28L * WIDTH);
    }

    /** The sums of half a block for two rows; those of the second row go a block further. */
    private static void half(
            Object a,
            long aAt,
            Object b,
            long bAt,
            Object weights,
            long weightsAt,
            int inputs,
            Object out,
            long outAt) {
        FloatVector a0 = Lanes.broadcast(0f);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        FloatVector b0 = a0;
        FloatVector b1 = a0;
        FloatVector b2 = a0;
        FloatVector b3 = a0;
        long at = weightsAt;
        for (int i = 0; i < inputs; i++) {
            FloatVector first = Lanes.broadcast(Lanes.get(a, aAt + 4L * i));
            FloatVector second = Lanes.broadcast(Lanes.get(b, bAt + 4L * i));
            FloatVector words = Lanes.load(weights, at);
            FloatVector weight = Lanes.int8(words, 0);
            a0 = first.fma(weight, a0);
            b0 = second.fma(weight, b0);
            weight = Lanes.int8(words, 1);
            a1 = first.fma(weight, a1);
            b1 = second.fma(weight, b1);
            weight = Lanes.int8(words, 2);
            a2 = first.fma(weight, a2);
            b2 = second.fma(weight, b2);
            weight = Lanes.int8(words, 3);
            a3 = first.fma(weight, a3);
            b3 = second.fma(weight, b3);
            at += BLOCK;
        }
        Lanes.store(a0, out, outAt);
        Lanes.store(a1, out, outAt + 4L * WIDTH);
        Lanes.store(a2, out, outAt + 8L * WIDTH);
        Lanes.store(a3, out, outAt + 12L * WIDTH);
        long bOut = outAt + 4L * BLOCK;
        Lanes.store(b0, out, bOut);
        Lanes.store(b1, out, bOut + 4L * WIDTH);
        Lanes.store(b2, out, bOut + 8L * WIDTH);
        Lanes.store(b3, out, bOut + 12L * WIDTH);
    }
}
