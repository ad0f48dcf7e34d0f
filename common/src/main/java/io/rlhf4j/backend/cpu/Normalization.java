package io.rlhf4j.backend.cpu;

import static io.rlhf4j.backend.cpu.Lanes.WIDTH;

import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Tensor;
import jdk.incubator.vector.FloatVector;

/** Layer norm and RMS norm, one row after the other, forward and backward. */
final class Normalization {
    /** Rows whose weight gradients are summed together before they join the others: fixed, so the sum's order is too. */
    private static final int ROWS_PER_PIECE = 32;

    private final WorkerPool workers;
    private final MemoryPool memories;

    Normalization(WorkerPool workers, MemoryPool memories) {
        this.workers = workers;
        this.memories = memories;
    }

    void layerNorm(Tensor x, Tensor weight, Tensor bias, float epsilon, Tensor out, Tensor statistics) {
        Rows in = Rows.of(x);
        Rows weights = Rows.of(weight);
        Rows biases = bias == null ? null : Rows.of(bias);
        Rows result = Rows.of(out);
        Rows notes = Rows.of(statistics);
        int n = x.columns();
        workers.forRanges(x.rows(), ROWS_PER_PIECE, (from, to, workspace) -> {
            Span w = workspace.input(0, weights, 0, 0, n);
            Span b = biases == null ? zeros(workspace, 1, n) : workspace.input(1, biases, 0, 0, n);
            for (int row = from; row < to; row++) {
                Span source = workspace.input(2, in, row, 0, n);
                float mean = NormKernels.sum(source.memory, source.offset, n) / n;
                float variance = NormKernels.squaredDistance(source.memory, source.offset, mean, n) / n;
                float rstd = (float) (1 / Math.sqrt((double) variance + epsilon));
                Span target = workspace.output(3, result, row, 0, n);
                NormKernels.normalize(source, mean, rstd, w, b, target, n);
                target.finish();
                Span note = workspace.output(4, notes, row, 0, 2);
                Lanes.set(note.memory, note.offset, mean);
                Lanes.set(note.memory, note.offset + 4, rstd);
            }
        });
    }

    void layerNormBackward(
            Tensor dy, Tensor x, Tensor weight, Tensor statistics, Tensor dx, Tensor dWeight, Tensor dBias) {
        Rows notes = Rows.of(statistics);
        backward(dy, x, dx, weight, 0f, dWeight, dBias, (row, workspace) -> {
            Span note = workspace.input(6, notes, row, 0, 2);
            return new Statistics(Lanes.get(note.memory, note.offset), Lanes.get(note.memory, note.offset + 4), true);
        });
    }

    void rmsNorm(Tensor x, Tensor weight, float weightOffset, float epsilon, Tensor out, Tensor statistics) {
        Rows in = Rows.of(x);
        Rows weights = Rows.of(weight);
        Rows result = Rows.of(out);
        Rows notes = Rows.of(statistics);
        int n = x.columns();
        workers.forRanges(x.rows(), ROWS_PER_PIECE, (from, to, workspace) -> {
            Span w = shifted(workspace, 0, weights, weightOffset, n);
            Span zero = zeros(workspace, 1, n);
            for (int row = from; row < to; row++) {
                Span source = workspace.input(2, in, row, 0, n);
                float square = NormKernels.squaredDistance(source.memory, source.offset, 0f, n) / n;
                float rstd = (float) (1 / Math.sqrt((double) square + epsilon));
                Span target = workspace.output(3, result, row, 0, n);
                NormKernels.normalize(source, 0f, rstd, w, zero, target, n);
                target.finish();
                Span note = workspace.output(4, notes, row, 0, 1);
                Lanes.set(note.memory, note.offset, rstd);
            }
        });
    }

    void rmsNormBackward(
            Tensor dy, Tensor x, Tensor weight, float weightOffset, Tensor statistics, Tensor dx, Tensor dWeight) {
        Rows notes = Rows.of(statistics);
        backward(dy, x, dx, weight, weightOffset, dWeight, null, (row, workspace) -> {
            Span note = workspace.input(6, notes, row, 0, 1);
            return new Statistics(0f, Lanes.get(note.memory, note.offset), false);
        });
    }

    /** What the forward pass noted of a row. */
    private record Statistics(float mean, float rstd, boolean centred) {}

    private interface StatisticsOfRow {
        Statistics read(int row, Workspace workspace);
    }

    private void backward(
            Tensor dy,
            Tensor x,
            Tensor dx,
            Tensor weight,
            float weightOffset,
            Tensor dWeight,
            Tensor dBias,
            StatisticsOfRow statistics) {
        int n = x.columns();
        int rows = x.rows();
        Rows in = Rows.of(x);
        Rows arriving = Rows.of(dy);
        Rows leaving = Rows.of(dx);
        Rows weights = Rows.of(weight);
        boolean wanted = dWeight != null || dBias != null;
        int pieces = (rows + ROWS_PER_PIECE - 1) / ROWS_PER_PIECE;
        NativeMemory sums = memories.allocate(wanted ? 8L * Math.max(1, pieces) * n : 64);
        try {
            Rows partial = Rows.of(
                    Tensor.of(x.backend(), sums, DType.FP32, 0, wanted ? 2 * Math.max(1, pieces) : 1, wanted ? n : 16));
            workers.forRanges(rows, ROWS_PER_PIECE, (from, to, workspace) -> {
                Span w = shifted(workspace, 0, weights, weightOffset, n);
                Span weightSum = null;
                Span biasSum = null;
                if (wanted) {
                    int piece = from / ROWS_PER_PIECE;
                    weightSum = workspace.output(1, partial, 2L * piece, 0, n);
                    biasSum = workspace.output(2, partial, 2L * piece + 1, 0, n);
                    Conversion.fill(weightSum.memory, weightSum.offset, n, 0f);
                    Conversion.fill(biasSum.memory, biasSum.offset, n, 0f);
                }
                for (int row = from; row < to; row++) {
                    Span source = workspace.input(3, in, row, 0, n);
                    Span gradient = workspace.input(4, arriving, row, 0, n);
                    Statistics known = statistics.read(row, workspace);
                    if (wanted) {
                        NormKernels.addWeightGradients(source, gradient, known.mean, known.rstd, weightSum, biasSum, n);
                    }
                    Span target = workspace.output(5, leaving, row, 0, n);
                    NormKernels.backward(source, gradient, known.mean, known.rstd, known.centred, w, target, n);
                    target.finish();
                }
            });
            addPartial(partial, 0, pieces, dWeight);
            addPartial(partial, 1, pieces, dBias);
        } finally {
            sums.free();
        }
    }

    /** Adds every second row of {@code partial}, from {@code first}, to a gradient. */
    private void addPartial(Rows partial, int first, int pieces, Tensor gradient) {
        if (gradient == null) {
            return;
        }
        Rows target = Rows.flat(gradient);
        workers.forRanges((int) target.columns, 256, (from, to, workspace) -> {
            Span sum = workspace.update(0, target, 0, from, to - from);
            for (int piece = 0; piece < pieces; piece++) {
                Pointwise.addTo(workspace.input(1, partial, 2L * piece + first, from, to - from), sum, to - from);
            }
            sum.finish();
        });
    }

    private static Span zeros(Workspace workspace, int slot, int n) {
        Span span = workspace.floats(slot, n);
        Conversion.fill(span.memory, span.offset, n, 0f);
        return span;
    }

    /** The weights plus an offset. */
    private static Span shifted(Workspace workspace, int slot, Rows weights, float offset, int n) {
        if (offset == 0f) {
            return workspace.input(slot, weights, 0, 0, n);
        }
        Span given = workspace.input(7, weights, 0, 0, n);
        Span sum = workspace.floats(slot, n);
        FloatVector shift = Lanes.broadcast(offset);
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            Lanes.store(Lanes.load(given.memory, given.offset + 4L * i).add(shift), sum.memory, sum.offset + 4L * i);
        }
        for (; i < n; i++) {
            Lanes.set(sum.memory, sum.offset + 4L * i, Lanes.get(given.memory, given.offset + 4L * i) + offset);
        }
        return sum;
    }
}
