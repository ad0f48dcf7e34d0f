package io.rlhf4j.backend.cpu;

import static io.rlhf4j.backend.cpu.Lanes.WIDTH;

import io.rlhf4j.tensor.Activation;
import io.rlhf4j.tensor.Tensor;
import jdk.incubator.vector.FloatVector;

/** Operations element by element, in blocks that stay in the first-level cache. */
final class Pointwise {
    /** Elements of a block: some buffers of 4 KiB fit into 32 KiB. */
    private static final int BLOCK = 1024;

    private static final int BLOCKS_PER_PIECE = 16;

    private final WorkerPool workers;

    Pointwise(WorkerPool workers) {
        this.workers = workers;
    }

    /** Part of a run of elements. */
    private interface BlockTask {
        void run(long from, int count, Workspace workspace);
    }

    private void blocks(long elements, BlockTask task) {
        int blocks = Math.toIntExact((elements + BLOCK - 1) / BLOCK);
        workers.forRanges(blocks, BLOCKS_PER_PIECE, (from, to, workspace) -> {
            for (long block = from; block < to; block++) {
                task.run(block * BLOCK, (int) Math.min(BLOCK, elements - block * BLOCK), workspace);
            }
        });
    }

    void add(Tensor a, Tensor b, Tensor out) {
        Rows left = Rows.flat(a);
        Rows right = Rows.flat(b);
        Rows result = Rows.flat(out);
        blocks(a.elements(), (from, count, workspace) -> {
            Span x = workspace.input(0, left, 0, from, count);
            Span y = workspace.input(1, right, 0, from, count);
            Span z = workspace.output(2, result, 0, from, count);
            sum(x.memory, x.offset, y.memory, y.offset, z.memory, z.offset, count);
            z.finish();
        });
    }

    void addScaled(float factor, Tensor x, Tensor y) {
        Rows source = Rows.flat(x);
        Rows target = Rows.flat(y);
        blocks(x.elements(), (from, count, workspace) -> {
            Span in = workspace.input(0, source, 0, from, count);
            Span sum = workspace.update(1, target, 0, from, count);
            addScaled(factor, in.memory, in.offset, sum.memory, sum.offset, count);
            sum.finish();
        });
    }

    void scale(Tensor x, float factor) {
        Rows rows = Rows.flat(x);
        blocks(x.elements(), (from, count, workspace) -> {
            Span span = workspace.update(0, rows, 0, from, count);
            scale(span.memory, span.offset, factor, count);
            span.finish();
        });
    }

    void activate(Activation f, Tensor x, Tensor out) {
        Rows source = Rows.flat(x);
        Rows target = Rows.flat(out);
        blocks(x.elements(), (from, count, workspace) -> {
            Span in = workspace.input(0, source, 0, from, count);
            Span result = workspace.output(1, target, 0, from, count);
            Activations.value(f, in, result, count);
            result.finish();
        });
    }

    void activateBackward(Activation f, Tensor x, Tensor dy, Tensor dx) {
        Rows source = Rows.flat(x);
        Rows gradient = Rows.flat(dy);
        Rows target = Rows.flat(dx);
        blocks(x.elements(), (from, count, workspace) -> {
            Span in = workspace.input(0, source, 0, from, count);
            Span slope = workspace.floats(1, count);
            Activations.derivative(f, in, slope, count);
            Span arriving = workspace.input(2, gradient, 0, from, count);
            Span result = workspace.output(3, target, 0, from, count);
            multiply(slope, arriving, result, count);
            result.finish();
        });
    }

    void activateGated(Activation f, Tensor gateUp, Tensor out) {
        Rows source = Rows.of(gateUp);
        Rows target = Rows.of(out);
        int n = out.columns();
        rowBlocks(out.rows(), n, (row, from, count, workspace) -> {
            Span gate = workspace.input(0, source, row, from, count);
            Span up = workspace.input(1, source, row, n + from, count);
            Span value = workspace.floats(2, count);
            Activations.value(f, gate, value, count);
            Span result = workspace.output(3, target, row, from, count);
            multiply(value, up, result, count);
            result.finish();
        });
    }

    void activateGatedBackward(Activation f, Tensor gateUp, Tensor dy, Tensor dGateUp) {
        Rows source = Rows.of(gateUp);
        Rows gradient = Rows.of(dy);
        Rows target = Rows.of(dGateUp);
        int n = dy.columns();
        rowBlocks(dy.rows(), n, (row, from, count, workspace) -> {
            Span gate = workspace.input(0, source, row, from, count);
            Span up = workspace.input(1, source, row, n + from, count);
            Span arriving = workspace.input(2, gradient, row, from, count);
            Span value = workspace.floats(3, count);
            Activations.value(f, gate, value, count);
            Span slope = workspace.floats(4, count);
            Activations.derivative(f, gate, slope, count);
            multiply(slope, arriving, slope, count);
            // dGateUp may be gateUp: everything is read before anything is written.
            Span scaledUp = workspace.floats(5, count);
            multiply(slope, up, scaledUp, count);
            multiply(value, arriving, value, count);
            put(scaledUp, workspace.output(0, target, row, from, count), count);
            put(value, workspace.output(1, target, row, n + from, count), count);
        });
    }

    private static void put(Span source, Span target, int count) {
        Lanes.copy(source.memory, source.offset, target.memory, target.offset, count);
        target.finish();
    }

    /** Part of a row. */
    private interface RowBlockTask {
        void run(int row, int from, int count, Workspace workspace);
    }

    private void rowBlocks(int rows, int columns, RowBlockTask task) {
        int grain = Math.max(1, BLOCK * BLOCKS_PER_PIECE / Math.max(1, columns));
        workers.forRanges(rows, grain, (first, end, workspace) -> {
            for (int row = first; row < end; row++) {
                for (int from = 0; from < columns; from += BLOCK) {
                    task.run(row, from, Math.min(BLOCK, columns - from), workspace);
                }
            }
        });
    }

    // ---- kernels

    /** {@code y += x}. */
    static void addTo(Span x, Span y, int count) {
        sum(x.memory, x.offset, y.memory, y.offset, y.memory, y.offset, count);
    }

    static void multiply(Span x, Span y, Span out, int count) {
        product(x.memory, x.offset, y.memory, y.offset, out.memory, out.offset, count);
    }

    private static void sum(Object x, long xAt, Object y, long yAt, Object out, long outAt, int count) {
        int i = 0;
        for (; i <= count - WIDTH; i += WIDTH) {
            FloatVector sum = Lanes.load(x, xAt + 4L * i).add(Lanes.load(y, yAt + 4L * i));
            Lanes.store(sum, out, outAt + 4L * i);
        }
        for (; i < count; i++) {
            Lanes.set(out, outAt + 4L * i, Lanes.get(x, xAt + 4L * i) + Lanes.get(y, yAt + 4L * i));
        }
    }

    private static void product(Object x, long xAt, Object y, long yAt, Object out, long outAt, int count) {
        int i = 0;
        for (; i <= count - WIDTH; i += WIDTH) {
            FloatVector product = Lanes.load(x, xAt + 4L * i).mul(Lanes.load(y, yAt + 4L * i));
            Lanes.store(product, out, outAt + 4L * i);
        }
        for (; i < count; i++) {
            Lanes.set(out, outAt + 4L * i, Lanes.get(x, xAt + 4L * i) * Lanes.get(y, yAt + 4L * i));
        }
    }

    static void addScaled(float factor, Object x, long xAt, Object y, long yAt, int count) {
        FloatVector factors = Lanes.broadcast(factor);
        int i = 0;
        for (; i <= count - WIDTH; i += WIDTH) {
            FloatVector sum = Lanes.load(x, xAt + 4L * i).fma(factors, Lanes.load(y, yAt + 4L * i));
            Lanes.store(sum, y, yAt + 4L * i);
        }
        for (; i < count; i++) {
            float sum = Math.fma(Lanes.get(x, xAt + 4L * i), factor, Lanes.get(y, yAt + 4L * i));
            Lanes.set(y, yAt + 4L * i, sum);
        }
    }

    static void scale(Object x, long at, float factor, int count) {
        int i = 0;
        for (; i <= count - WIDTH; i += WIDTH) {
            Lanes.store(Lanes.load(x, at + 4L * i).mul(factor), x, at + 4L * i);
        }
        for (; i < count; i++) {
            Lanes.set(x, at + 4L * i, Lanes.get(x, at + 4L * i) * factor);
        }
    }
}
