package io.rlhf4j.backend.cpu;

import static io.rlhf4j.backend.cpu.Lanes.WIDTH;

import jdk.incubator.vector.FloatVector;

/** The queries of one token, head by head, against consecutive rows of a cache, which are read once and in order. */
final class DecodingKernels {
    /** Elements that the kernels keep in registers. */
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
        if (heads.width % CHUNK == 0) {
            if (rows.isBf16()) {
                chunkDotsBf16(q, qAt, memory, at, step, count, heads, out, outAt, outStep);
            } else {
                chunkDots(q, qAt, memory, at, step, count, heads, out, outAt, outStep);
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
            Heads heads,
            Object out,
            long outAt,
            long outStep) {
        int chunks = heads.width / CHUNK;
        for (int row = 0; row < count; row++) {
            long at = kAt + step * row;
            long from = qAt;
            long to = outAt + 4L * row;
            for (int key = 0; key < heads.keys; key++) {
                for (int i = 0; i < heads.group; i++) {
                    FloatVector a = Lanes.broadcast(0f);
                    FloatVector b = a;
                    for (int chunk = 0; chunk < chunks; chunk++) {
                        long part = at + 4L * CHUNK * chunk;
                        a = Lanes.load(k, part).fma(Lanes.load(q, from), a);
                        b = Lanes.load(k, part + 4L * WIDTH).fma(Lanes.load(q, from + 4L * WIDTH), b);
                        a = Lanes.load(k, part + 8L * WIDTH).fma(Lanes.load(q, from + 8L * WIDTH), a);
                        b = Lanes.load(k, part + 12L * WIDTH).fma(Lanes.load(q, from + 12L * WIDTH), b);
                        from += 4L * CHUNK;
                    }
                    Lanes.set(out, to, Lanes.sum(a.add(b)));
                    to += outStep;
                }
                at += 4L * CHUNK * chunks;
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
            Heads heads,
            Object out,
            long outAt,
            long outStep) {
        int chunks = heads.width / CHUNK;
        for (int row = 0; row < count; row++) {
            long at = kAt + step * row;
            long from = qAt;
            long to = outAt + 4L * row;
            for (int key = 0; key < heads.keys; key++) {
                for (int i = 0; i < heads.group; i++) {
                    FloatVector a = Lanes.broadcast(0f);
                    FloatVector b = a;
                    for (int chunk = 0; chunk < chunks; chunk++) {
                        long part = at + 2L * CHUNK * chunk;
                        a = Lanes.loadBf16(k, part).fma(Lanes.load(q, from), a);
                        b = Lanes.loadBf16(k, part + 2L * WIDTH).fma(Lanes.load(q, from + 4L * WIDTH), b);
                        a = Lanes.loadBf16(k, part + 4L * WIDTH).fma(Lanes.load(q, from + 8L * WIDTH), a);
                        b = Lanes.loadBf16(k, part + 6L * WIDTH).fma(Lanes.load(q, from + 12L * WIDTH), b);
                        from += 4L * CHUNK;
                    }
                    Lanes.set(out, to, Lanes.sum(a.add(b)));
                    to += outStep;
                }
                at += 2L * CHUNK * chunks;
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
        if (heads.width % CHUNK == 0) {
            if (rows.isBf16()) {
                addChunksBf16(p, pAt, pStep, memory, at, step, count, heads, out, outAt);
            } else {
                addChunks(p, pAt, pStep, memory, at, step, count, heads, out, outAt);
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
            Heads heads,
            Object out,
            long outAt) {
        int chunks = heads.width / CHUNK;
        for (int part = 0; part < heads.keys * heads.group * chunks; part++) {
            int query = part / chunks;
            long from = pAt + pStep * query;
            long at = vAt + 4L * CHUNK * (query / heads.group * chunks + part % chunks);
            long to = outAt + 4L * CHUNK * part;
            FloatVector sum0 = Lanes.load(out, to);
            FloatVector sum1 = Lanes.load(out, to + 4L * WIDTH);
            FloatVector sum2 = Lanes.load(out, to + 8L * WIDTH);
            FloatVector sum3 = Lanes.load(out, to + 12L * WIDTH);
            for (int row = 0; row < count; row++) {
                FloatVector weight = Lanes.broadcast(Lanes.get(p, from + 4L * row));
                sum0 = weight.fma(Lanes.load(v, at), sum0);
                sum1 = weight.fma(Lanes.load(v, at + 4L * WIDTH), sum1);
                sum2 = weight.fma(Lanes.load(v, at + 8L * WIDTH), sum2);
                sum3 = weight.fma(Lanes.load(v, at + 12L * WIDTH), sum3);
                at += step;
            }
            Lanes.store(sum0, out, to);
            Lanes.store(sum1, out, to + 4L * WIDTH);
            Lanes.store(sum2, out, to + 8L * WIDTH);
            Lanes.store(sum3, out, to + 12L * WIDTH);
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
            Heads heads,
            Object out,
            long outAt) {
        int chunks = heads.width / CHUNK;
        for (int part = 0; part < heads.keys * heads.group * chunks; part++) {
            int query = part / chunks;
            long from = pAt + pStep * query;
            long at = vAt + 2L * CHUNK * (query / heads.group * chunks + part % chunks);
            long to = outAt + 4L * CHUNK * part;
            FloatVector sum0 = Lanes.load(out, to);
            FloatVector sum1 = Lanes.load(out, to + 4L * WIDTH);
            FloatVector sum2 = Lanes.load(out, to + 8L * WIDTH);
            FloatVector sum3 = Lanes.load(out, to + 12L * WIDTH);
            for (int row = 0; row < count; row++) {
                FloatVector weight = Lanes.broadcast(Lanes.get(p, from + 4L * row));
                sum0 = weight.fma(Lanes.loadBf16(v, at), sum0);
                sum1 = weight.fma(Lanes.loadBf16(v, at + 2L * WIDTH), sum1);
                sum2 = weight.fma(Lanes.loadBf16(v, at + 4L * WIDTH), sum2);
                sum3 = weight.fma(Lanes.loadBf16(v, at + 6L * WIDTH), sum3);
                at += step;
            }
            Lanes.store(sum0, out, to);
            Lanes.store(sum1, out, to + 4L * WIDTH);
            Lanes.store(sum2, out, to + 8L * WIDTH);
            Lanes.store(sum3, out, to + 12L * WIDTH);
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
