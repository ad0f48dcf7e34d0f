package io.rlhf4j.backend.cpu;

import static io.rlhf4j.backend.cpu.Lanes.WIDTH;

import jdk.incubator.vector.FloatVector;

/** The queries of one token, head by head, against consecutive rows of a cache, which are read once and in order. */
final class DecodingKernels {
    /** The usual width of a head, which the kernels keep in registers. */
    private static final int CHUNK = 4 * WIDTH;

    private DecodingKernels() {}

    /**
     * The heads that pass over the rows.
     *
     * @param keys heads of keys and values, which lie side by side in a row
     * @param group queries that share each of them
     * @param width elements of a head
     */
    record Heads(int keys, int group, int width) {}

    /** {@code out[i] = q . rows[i]} of every query; the results of a query begin {@code outStep} bytes behind the last's. */
    static void dots(
            Object q, long qAt, Rows rows, long place, int count, Heads heads, Object out, long outAt, long outStep) {
        Object memory = rows.memory.window(place);
        long at = NativeMemory.inWindow(place);
        long step = rows.stride() * rows.type.bytes();
        if (heads.width == CHUNK) {
            if (rows.isBf16()) {
                chunkDotsBf16(q, qAt, memory, at, step, count, heads.keys, heads.group, out, outAt, outStep);
            } else {
                chunkDots(q, qAt, memory, at, step, count, heads.keys, heads.group, out, outAt, outStep);
            }
            return;
        }
        int bytes = heads.width * rows.type.bytes();
        for (int row = 0; row < count; row++) {
            for (int query = 0; query < heads.keys * heads.group; query++) {
                long key = at + step * row + (long) query / heads.group * bytes;
                float dot = dot(q, qAt + 4L * query * heads.width, memory, key, rows.isBf16(), heads.width);
                Lanes.set(out, outAt + outStep * query + 4L * row, dot);
            }
        }
    }

    private static void chunkDots(
            Object q,
            long qAt,
            Object k,
            long kAt,
            long step,
            int count,
            int keys,
            int group,
            Object out,
            long outAt,
            long outStep) {
        for (int row = 0; row < count; row++) {
            long from = qAt;
            long to = outAt + 4L * row;
            for (int key = 0; key < keys; key++) {
                long at = kAt + step * row + 4L * CHUNK * key;
                FloatVector k0 = Lanes.load(k, at);
                FloatVector k1 = Lanes.load(k, at + 4L * WIDTH);
                FloatVector k2 = Lanes.load(k, at + 8L * WIDTH);
                FloatVector k3 = Lanes.load(k, at + 12L * WIDTH);
                for (int i = 0; i < group; i++) {
                    FloatVector a = k0.mul(Lanes.load(q, from));
                    FloatVector b = k1.mul(Lanes.load(q, from + 4L * WIDTH));
                    a = k2.fma(Lanes.load(q, from + 8L * WIDTH), a);
                    b = k3.fma(Lanes.load(q, from + 12L * WIDTH), b);
                    Lanes.set(out, to, Lanes.sum(a.add(b)));
                    from += 4L * CHUNK;
                    to += outStep;
                }
            }
        }
    }

    private static void chunkDotsBf16(
            Object q,
            long qAt,
            Object k,
            long kAt,
            long step,
            int count,
            int keys,
            int group,
            Object out,
            long outAt,
            long outStep) {
        for (int row = 0; row < count; row++) {
            long from = qAt;
            long to = outAt + 4L * row;
            for (int key = 0; key < keys; key++) {
                long at = kAt + step * row + 2L * CHUNK * key;
                FloatVector k0 = Lanes.loadBf16(k, at);
                FloatVector k1 = Lanes.loadBf16(k, at + 2L * WIDTH);
                FloatVector k2 = Lanes.loadBf16(k, at + 4L * WIDTH);
                FloatVector k3 = Lanes.loadBf16(k, at + 6L * WIDTH);
                for (int i = 0; i < group; i++) {
                    FloatVector a = k0.mul(Lanes.load(q, from));
                    FloatVector b = k1.mul(Lanes.load(q, from + 4L * WIDTH));
                    a = k2.fma(Lanes.load(q, from + 8L * WIDTH), a);
                    b = k3.fma(Lanes.load(q, from + 12L * WIDTH), b);
                    Lanes.set(out, to, Lanes.sum(a.add(b)));
                    from += 4L * CHUNK;
                    to += outStep;
                }
            }
        }
    }

    private static float dot(Object q, long qAt, Object k, long kAt, boolean bf16, int width) {
        FloatVector a = Lanes.broadcast(0f);
        int i = 0;
        for (; i <= width - WIDTH; i += WIDTH) {
            FloatVector key = bf16 ? Lanes.loadBf16(k, kAt + 2L * i) : Lanes.load(k, kAt + 4L * i);
            a = Lanes.load(q, qAt + 4L * i).fma(key, a);
        }
        float rest = 0f;
        for (; i < width; i++) {
            float key = bf16 ? Lanes.getBf16(k, kAt + 2L * i) : Lanes.get(k, kAt + 4L * i);
            rest = Math.fma(Lanes.get(q, qAt + 4L * i), key, rest);
        }
        return Lanes.sum(a) + rest;
    }

    /**
     * {@code out += sum of p[i] * rows[i]} for every query; its weights begin {@code pStep} bytes behind the last's.
     */
    static void addWeighted(
            Object p, long pAt, long pStep, Rows rows, long place, int count, Heads heads, Object out, long outAt) {
        Object memory = rows.memory.window(place);
        long at = NativeMemory.inWindow(place);
        long step = rows.stride() * rows.type.bytes();
        if (heads.width == CHUNK) {
            if (rows.isBf16()) {
                addChunksBf16(p, pAt, pStep, memory, at, step, count, heads.keys, heads.group, out, outAt);
            } else {
                addChunks(p, pAt, pStep, memory, at, step, count, heads.keys, heads.group, out, outAt);
            }
            return;
        }
        int bytes = heads.width * rows.type.bytes();
        for (int row = 0; row < count; row++) {
            for (int query = 0; query < heads.keys * heads.group; query++) {
                long value = at + step * row + (long) query / heads.group * bytes;
                float weight = Lanes.get(p, pAt + pStep * query + 4L * row);
                add(weight, memory, value, rows.isBf16(), heads.width, out, outAt + 4L * query * heads.width);
            }
        }
    }

    private static void addChunks(
            Object p,
            long pAt,
            long pStep,
            Object v,
            long vAt,
            long step,
            int count,
            int keys,
            int group,
            Object out,
            long outAt) {
        for (int row = 0; row < count; row++) {
            long from = pAt + 4L * row;
            long to = outAt;
            for (int key = 0; key < keys; key++) {
                long at = vAt + step * row + 4L * CHUNK * key;
                FloatVector v0 = Lanes.load(v, at);
                FloatVector v1 = Lanes.load(v, at + 4L * WIDTH);
                FloatVector v2 = Lanes.load(v, at + 8L * WIDTH);
                FloatVector v3 = Lanes.load(v, at + 12L * WIDTH);
                for (int i = 0; i < group; i++) {
                    FloatVector weight = Lanes.broadcast(Lanes.get(p, from));
                    Lanes.store(weight.fma(v0, Lanes.load(out, to)), out, to);
                    Lanes.store(weight.fma(v1, Lanes.load(out, to + 4L * WIDTH)), out, to + 4L * WIDTH);
                    Lanes.store(weight.fma(v2, Lanes.load(out, to + 8L * WIDTH)), out, to + 8L * WIDTH);
                    Lanes.store(weight.fma(v3, Lanes.load(out, to + 12L * WIDTH)), out, to + 12L * WIDTH);
                    from += pStep;
                    to += 4L * CHUNK;
                }
            }
        }
    }

    private static void addChunksBf16(
            Object p,
            long pAt,
            long pStep,
            Object v,
            long vAt,
            long step,
            int count,
            int keys,
            int group,
            Object out,
            long outAt) {
        for (int row = 0; row < count; row++) {
            long from = pAt + 4L * row;
            long to = outAt;
            for (int key = 0; key < keys; key++) {
                long at = vAt + step * row + 2L * CHUNK * key;
                FloatVector v0 = Lanes.loadBf16(v, at);
                FloatVector v1 = Lanes.loadBf16(v, at + 2L * WIDTH);
                FloatVector v2 = Lanes.loadBf16(v, at + 4L * WIDTH);
                FloatVector v3 = Lanes.loadBf16(v, at + 6L * WIDTH);
                for (int i = 0; i < group; i++) {
                    FloatVector weight = Lanes.broadcast(Lanes.get(p, from));
                    Lanes.store(weight.fma(v0, Lanes.load(out, to)), out, to);
                    Lanes.store(weight.fma(v1, Lanes.load(out, to + 4L * WIDTH)), out, to + 4L * WIDTH);
                    Lanes.store(weight.fma(v2, Lanes.load(out, to + 8L * WIDTH)), out, to + 8L * WIDTH);
                    Lanes.store(weight.fma(v3, Lanes.load(out, to + 12L * WIDTH)), out, to + 12L * WIDTH);
                    from += pStep;
                    to += 4L * CHUNK;
                }
            }
        }
    }

    private static void add(float weight, Object v, long vAt, boolean bf16, int width, Object out, long to) {
        FloatVector all = Lanes.broadcast(weight);
        int i = 0;
        for (; i <= width - WIDTH; i += WIDTH) {
            FloatVector value = bf16 ? Lanes.loadBf16(v, vAt + 2L * i) : Lanes.load(v, vAt + 4L * i);
            Lanes.store(all.fma(value, Lanes.load(out, to + 4L * i)), out, to + 4L * i);
        }
        for (; i < width; i++) {
            float value = bf16 ? Lanes.getBf16(v, vAt + 2L * i) : Lanes.get(v, vAt + 4L * i);
            Lanes.set(out, to + 4L * i, Math.fma(weight, value, Lanes.get(out, to + 4L * i)));
        }
    }
}
