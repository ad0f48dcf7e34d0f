package io.rlhf4j.backend.cpu;

import static io.rlhf4j.backend.cpu.Lanes.WIDTH;

import jdk.incubator.vector.FloatVector;

/** One query against consecutive rows of a cache. */
final class DecodingKernels {
    /** Columns that one pass over the rows keeps in registers: the usual width of a head. */
    private static final int CHUNK = 4 * WIDTH;

    private DecodingKernels() {}

    /** {@code out[i] = q . rows[i]}. */
    static void dots(Object q, long qAt, Rows rows, long place, int count, int width, Object out, long outAt) {
        Object memory = rows.memory.window(place);
        long at = NativeMemory.inWindow(place);
        long step = rows.stride() * rows.type.bytes();
        if (width == CHUNK) {
            chunkDots(q, qAt, memory, at, step, rows.isBf16(), count, out, outAt);
        } else if (rows.isBf16()) {
            dotsBf16(q, qAt, memory, at, step, count, width, out, outAt);
        } else {
            dots(q, qAt, memory, at, step, count, width, out, outAt);
        }
    }

    private static void chunkDots(
            Object q, long qAt, Object k, long kAt, long step, boolean bf16, int count, Object out, long outAt) {
        FloatVector q0 = Lanes.load(q, qAt);
        FloatVector q1 = Lanes.load(q, qAt + 4L * WIDTH);
        FloatVector q2 = Lanes.load(q, qAt + 8L * WIDTH);
        FloatVector q3 = Lanes.load(q, qAt + 12L * WIDTH);
        if (bf16) {
            for (int row = 0; row < count; row++) {
                long at = kAt + step * row;
                FloatVector a = q0.mul(Lanes.loadBf16(k, at));
                FloatVector b = q1.mul(Lanes.loadBf16(k, at + 2L * WIDTH));
                a = q2.fma(Lanes.loadBf16(k, at + 4L * WIDTH), a);
                b = q3.fma(Lanes.loadBf16(k, at + 6L * WIDTH), b);
                Lanes.set(out, outAt + 4L * row, Lanes.sum(a.add(b)));
            }
        } else {
            for (int row = 0; row < count; row++) {
                long at = kAt + step * row;
                FloatVector a = q0.mul(Lanes.load(k, at));
                FloatVector b = q1.mul(Lanes.load(k, at + 4L * WIDTH));
                a = q2.fma(Lanes.load(k, at + 8L * WIDTH), a);
                b = q3.fma(Lanes.load(k, at + 12L * WIDTH), b);
                Lanes.set(out, outAt + 4L * row, Lanes.sum(a.add(b)));
            }
        }
    }

    private static void dots(
            Object q, long qAt, Object k, long kAt, long step, int count, int width, Object out, long outAt) {
        for (int row = 0; row < count; row++) {
            long at = kAt + step * row;
            FloatVector a = Lanes.broadcast(0f);
            int i = 0;
            for (; i <= width - WIDTH; i += WIDTH) {
                a = Lanes.load(q, qAt + 4L * i).fma(Lanes.load(k, at + 4L * i), a);
            }
            float rest = 0f;
            for (; i < width; i++) {
                rest = Math.fma(Lanes.get(q, qAt + 4L * i), Lanes.get(k, at + 4L * i), rest);
            }
            Lanes.set(out, outAt + 4L * row, Lanes.sum(a) + rest);
        }
    }

    private static void dotsBf16(
            Object q, long qAt, Object k, long kAt, long step, int count, int width, Object out, long outAt) {
        for (int row = 0; row < count; row++) {
            long at = kAt + step * row;
            FloatVector a = Lanes.broadcast(0f);
            int i = 0;
            for (; i <= width - WIDTH; i += WIDTH) {
                a = Lanes.load(q, qAt + 4L * i).fma(Lanes.loadBf16(k, at + 2L * i), a);
            }
            float rest = 0f;
            for (; i < width; i++) {
                rest = Math.fma(Lanes.get(q, qAt + 4L * i), Lanes.getBf16(k, at + 2L * i), rest);
            }
            Lanes.set(out, outAt + 4L * row, Lanes.sum(a) + rest);
        }
    }

    /** {@code out += sum of p[i] * rows[i]}. */
    static void addWeighted(Object p, long pAt, Rows rows, long place, int count, int width, Object out, long outAt) {
        Object memory = rows.memory.window(place);
        long at = NativeMemory.inWindow(place);
        long step = rows.stride() * rows.type.bytes();
        int i = 0;
        for (; i <= width - CHUNK; i += CHUNK) {
            long chunk = at + (long) i * rows.type.bytes();
            addWeightedChunk(p, pAt, memory, chunk, step, rows.isBf16(), count, out, outAt + 4L * i);
        }
        for (; i <= width - WIDTH; i += WIDTH) {
            if (rows.isBf16()) {
                addWeightedBf16(p, pAt, memory, at + 2L * i, step, count, out, outAt + 4L * i);
            } else {
                addWeighted(p, pAt, memory, at + 4L * i, step, count, out, outAt + 4L * i);
            }
        }
        for (; i < width; i++) {
            float sum = Lanes.get(out, outAt + 4L * i);
            for (int row = 0; row < count; row++) {
                float value = rows.isBf16()
                        ? Lanes.getBf16(memory, at + step * row + 2L * i)
                        : Lanes.get(memory, at + step * row + 4L * i);
                sum = Math.fma(Lanes.get(p, pAt + 4L * row), value, sum);
            }
            Lanes.set(out, outAt + 4L * i, sum);
        }
    }

    private static void addWeightedChunk(
            Object p, long pAt, Object v, long vAt, long step, boolean bf16, int count, Object out, long outAt) {
        FloatVector a = Lanes.load(out, outAt);
        FloatVector b = Lanes.load(out, outAt + 4L * WIDTH);
        FloatVector c = Lanes.load(out, outAt + 8L * WIDTH);
        FloatVector d = Lanes.load(out, outAt + 12L * WIDTH);
        if (bf16) {
            for (int row = 0; row < count; row++) {
                long at = vAt + step * row;
                FloatVector weight = Lanes.broadcast(Lanes.get(p, pAt + 4L * row));
                a = weight.fma(Lanes.loadBf16(v, at), a);
                b = weight.fma(Lanes.loadBf16(v, at + 2L * WIDTH), b);
                c = weight.fma(Lanes.loadBf16(v, at + 4L * WIDTH), c);
                d = weight.fma(Lanes.loadBf16(v, at + 6L * WIDTH), d);
            }
        } else {
            for (int row = 0; row < count; row++) {
                long at = vAt + step * row;
                FloatVector weight = Lanes.broadcast(Lanes.get(p, pAt + 4L * row));
                a = weight.fma(Lanes.load(v, at), a);
                b = weight.fma(Lanes.load(v, at + 4L * WIDTH), b);
                c = weight.fma(Lanes.load(v, at + 8L * WIDTH), c);
                d = weight.fma(Lanes.load(v, at + 12L * WIDTH), d);
            }
        }
        Lanes.store(a, out, outAt);
        Lanes.store(b, out, outAt + 4L * WIDTH);
        Lanes.store(c, out, outAt + 8L * WIDTH);
        Lanes.store(d, out, outAt + 12L * WIDTH);
    }

    private static void addWeighted(
            Object p, long pAt, Object v, long vAt, long step, int count, Object out, long outAt) {
        FloatVector even = Lanes.load(out, outAt);
        FloatVector odd = Lanes.broadcast(0f);
        int row = 0;
        for (; row < count - 1; row += 2) {
            long at = vAt + step * row;
            even = Lanes.load(v, at).fma(Lanes.broadcast(Lanes.get(p, pAt + 4L * row)), even);
            odd = Lanes.load(v, at + step).fma(Lanes.broadcast(Lanes.get(p, pAt + 4L * row + 4)), odd);
        }
        if (row < count) {
            even = Lanes.load(v, vAt + step * row).fma(Lanes.broadcast(Lanes.get(p, pAt + 4L * row)), even);
        }
        Lanes.store(even.add(odd), out, outAt);
    }

    private static void addWeightedBf16(
            Object p, long pAt, Object v, long vAt, long step, int count, Object out, long outAt) {
        FloatVector even = Lanes.load(out, outAt);
        FloatVector odd = Lanes.broadcast(0f);
        int row = 0;
        for (; row < count - 1; row += 2) {
            long at = vAt + step * row;
            even = Lanes.loadBf16(v, at).fma(Lanes.broadcast(Lanes.get(p, pAt + 4L * row)), even);
            odd = Lanes.loadBf16(v, at + step).fma(Lanes.broadcast(Lanes.get(p, pAt + 4L * row + 4)), odd);
        }
        if (row < count) {
            even = Lanes.loadBf16(v, vAt + step * row).fma(Lanes.broadcast(Lanes.get(p, pAt + 4L * row)), even);
        }
        Lanes.store(even.add(odd), out, outAt);
    }
}
