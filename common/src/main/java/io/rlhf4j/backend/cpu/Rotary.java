package io.rlhf4j.backend.cpu;

import static io.rlhf4j.backend.cpu.Lanes.WIDTH;

import io.rlhf4j.tensor.RotarySpec;
import io.rlhf4j.tensor.Tensor;
import jdk.incubator.vector.FloatVector;

/** Rotary position embedding, in place. */
final class Rotary {
    private static final int ROWS_PER_PIECE = 16;

    private final WorkerPool workers;

    Rotary(WorkerPool workers) {
        this.workers = workers;
    }

    void rotate(RotarySpec rotary, Tensor x, int[] positions, boolean inverse) {
        int columns = x.columns();
        int half = rotary.rotaryDims() / 2;
        Rows rows = Rows.of(x);
        Rows cosines = Rows.of(rotary.cos());
        Rows sines = Rows.of(rotary.sin());
        workers.forRanges(x.rows(), ROWS_PER_PIECE, (from, to, workspace) -> {
            for (int row = from; row < to; row++) {
                Span cos = workspace.input(0, cosines, positions[row], 0, half);
                Span sin = workspace.input(1, sines, positions[row], 0, half);
                Span values = workspace.update(2, rows, row, 0, columns);
                for (int head = 0; head < columns; head += rotary.headDim()) {
                    long at = values.offset + 4L * head;
                    if (rotary.interleaved()) {
                        rotatePairs(values.memory, at, cos, sin, half, inverse);
                    } else {
                        rotateHalves(
                                values.memory,
                                at,
                                cos.memory,
                                cos.offset,
                                sin.memory,
                                sin.offset,
                                half,
                                inverse ? -1f : 1f);
                    }
                }
                values.finish();
            }
        });
    }

    private static void rotateHalves(
            Object x, long at, Object cos, long cosAt, Object sin, long sinAt, int half, float sign) {
        FloatVector direction = Lanes.broadcast(sign);
        long upper = at + 4L * half;
        int i = 0;
        for (; i <= half - WIDTH; i += WIDTH) {
            FloatVector c = Lanes.load(cos, cosAt + 4L * i);
            FloatVector s = Lanes.load(sin, sinAt + 4L * i).mul(direction);
            FloatVector first = Lanes.load(x, at + 4L * i);
            FloatVector second = Lanes.load(x, upper + 4L * i);
            Lanes.store(first.mul(c).sub(second.mul(s)), x, at + 4L * i);
            Lanes.store(second.mul(c).add(first.mul(s)), x, upper + 4L * i);
        }
        for (; i < half; i++) {
            float c = Lanes.get(cos, cosAt + 4L * i);
            float s = Lanes.get(sin, sinAt + 4L * i) * sign;
            float first = Lanes.get(x, at + 4L * i);
            float second = Lanes.get(x, upper + 4L * i);
            Lanes.set(x, at + 4L * i, first * c - second * s);
            Lanes.set(x, upper + 4L * i, second * c + first * s);
        }
    }

    private static void rotatePairs(Object x, long at, Span cos, Span sin, int half, boolean inverse) {
        for (int i = 0; i < half; i++) {
            float c = Lanes.get(cos.memory, cos.offset + 4L * i);
            float s = Lanes.get(sin.memory, sin.offset + 4L * i);
            s = inverse ? -s : s;
            float first = Lanes.get(x, at + 8L * i);
            float second = Lanes.get(x, at + 8L * i + 4);
            Lanes.set(x, at + 8L * i, first * c - second * s);
            Lanes.set(x, at + 8L * i + 4, second * c + first * s);
        }
    }
}
