package io.rlhf4j.backend.cpu;

import static io.rlhf4j.backend.cpu.Lanes.WIDTH;

import io.rlhf4j.tensor.DType;

/**
 * {@code out = x weightᵀ + bias} for a few rows of bf16 by a bf16 matrix that lies as [out, in]: the products of a decoding
 * step. One pass over the weights serves all rows, so the speed is that of memory.
 *
 * <p>An element of the result is one sum over a row of the weights in an order that depends on the row's length alone: a
 * row's result is the same bit for bit whatever rows are beside it, and however the work is cut.
 */
final class FewRowsProduct {
    /** With more rows than this the processor's matrix units are faster, by measurement. */
    static final int MOST_ROWS = 8;

    /** Columns of a step of the sums. */
    private static final int STEP = 2 * WIDTH;

    private static final int OUTPUTS = FewRowsKernels.OUTPUTS;
    /** Columns of the result that are finished together; their sums stay in the first-level cache. */
    private static final int BLOCK = 256;

    private static final int INPUT = 0;
    private static final int SUMS = 1;
    private static final int RESULTS = 2;

    private final Rows x;
    private final Rows weight;
    private final Rows bias;
    private final Rows out;
    private final int k;

    /**
     * @param bias a row, or null
     * @param k length of the sums
     */
    FewRowsProduct(Rows x, Rows weight, Rows bias, Rows out, int k) {
        this.x = x;
        this.weight = weight;
        this.bias = bias;
        this.out = out;
        this.k = k;
    }

    /** Whether a product of m rows, n columns and sums over k is of this kind; types are for the caller to look at. */
    static boolean fits(int m, int n, int k) {
        return m <= MOST_ROWS && n % OUTPUTS == 0 && k % STEP == 0;
    }

    /** Computes columns [from, to) of the result, both multiples of four. */
    void run(int from, int to, Workspace workspace) {
        float[] input = workspace.floatArray(INPUT, x.count * k);
        for (int row = 0; row < x.count; row++) {
            long place = x.byteOffset(row, 0);
            FewRowsKernels.split(x.memory.window(place), NativeMemory.inWindow(place), input, row * k, k / STEP);
        }
        float[] results = workspace.floatArray(RESULTS, x.count * BLOCK);
        for (int block = from; block < to; block += BLOCK) {
            int count = Math.min(BLOCK, to - block);
            multiply(input, block, count, results, workspace.floatArray(SUMS, 4 * OUTPUTS * WIDTH));
            for (int row = 0; row < x.count; row++) {
                finish(results, row * BLOCK, row, block, count, workspace);
            }
        }
    }

    private void multiply(float[] input, int block, int count, float[] results, float[] sums) {
        long stride = weight.stride() * DType.BF16.bytes();
        int steps = k / STEP;
        for (int column = 0; column < count; column += OUTPUTS) {
            long place = weight.byteOffset(block + column, 0);
            Object memory = weight.memory.window(place);
            long at = NativeMemory.inWindow(place);
            int row = 0;
            for (; row + 4 <= x.count; row += 4) {
                FewRowsKernels.four(memory, at, stride, input, row * k, k, sums, steps);
                take(sums, 4, results, row, column);
            }
            if (row + 2 <= x.count) {
                FewRowsKernels.two(memory, at, stride, input, row * k, k, sums, steps);
                take(sums, 2, results, row, column);
                row += 2;
            }
            if (row < x.count) {
                FewRowsKernels.one(memory, at, stride, input, row * k, sums, steps);
                take(sums, 1, results, row, column);
            }
        }
    }

    private static void take(float[] sums, int rows, float[] results, int firstRow, int column) {
        for (int i = 0; i < rows * OUTPUTS; i++) {
            results[(firstRow + i / OUTPUTS) * BLOCK + column + i % OUTPUTS] = FewRowsKernels.sum(sums, i * WIDTH);
        }
    }

    private void finish(float[] results, int at, int row, int column, int count, Workspace workspace) {
        if (bias != null) {
            Span added = workspace.input(0, bias, 0, column, count);
            FewRowsKernels.add(added.memory, added.offset, results, at, count);
        }
        Span target = workspace.output(1, out, row, column, count);
        FewRowsKernels.store(results, at, target.memory, target.offset, count);
        target.finish();
    }

    @Override
    public String toString() {
        return "%d rows, %d columns, sums over %d".formatted(x.count, weight.count, k);
    }
}
