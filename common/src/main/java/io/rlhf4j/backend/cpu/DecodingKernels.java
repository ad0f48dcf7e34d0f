package io.rlhf4j.backend.cpu;

import static io.rlhf4j.backend.cpu.Lanes.WIDTH;

import jdk.incubator.vector.FloatVector;

/**
 * The queries of one token, head by head, against consecutive rows of a cache, four of them side by side.
 *
 * <p>The loops stand here for fp32 and for bf16: one loop for both would not be compiled to vectors.
 */
final class DecodingKernels {
    private static final int ROWS = 4;
    private static final int LINE = 64;

    private DecodingKernels() {}

    /**
     * The heads that pass over the rows.
     *
     * @param keys heads of keys and values, which lie side by side in a row
     * @param group queries that share each of them
     * @param width elements of a head
     */
    record Heads(int keys, int group, int width) {
        int queries() {
            return keys * group;
        }

        /** Elements from the beginning of a row to the head that query head {@code query} shares. */
        long offset(int query) {
            return (long) query / group * width;
        }

        boolean isWholeVectors() {
            return width % WIDTH == 0;
        }
    }

    /**
     * Some heads' part of consecutive rows of keys or values.
     *
     * @param at byte of {@code memory} where the first row's part begins
     * @param step bytes from a row to the next
     */
    record Block(Object memory, long at, long step, int count, boolean bf16) {
        int size() {
            return bf16 ? 2 : 4;
        }

        float get(int row, long element) {
            long place = at + step * row + size() * element;
            return bf16 ? Lanes.getBf16(memory, place) : Lanes.get(memory, place);
        }
    }

    /**
     * Reads a block from memory in its order, which is fastest, so that a core's first or second cache holds it.
     *
     * @return anything that depends on all of it: else the compiler would leave the loads out
     */
    static float fetch(Block block, Heads heads) {
        int bytes = block.size() * heads.keys * heads.width;
        boolean together = bytes == block.step;
        int length = together ? bytes * block.count : bytes;
        float sum = 0f;
        for (int row = 0; row < block.count; row += together ? block.count : 1) {
            long at = block.at + block.step * row;
            for (int i = 0; i < length; i += LINE) {
                sum += Lanes.get(block.memory, at + i);
            }
        }
        return sum;
    }

    /**
     * {@code out[i] = q . block[i]} of every query.
     *
     * @param outStep bytes from the results of a query to those of the next
     */
    static void dots(Object q, long qAt, Block block, Heads heads, Object out, long outAt, long outStep) {
        if (!heads.isWholeVectors()) {
            plainDots(q, qAt, block, heads, out, outAt, outStep);
            return;
        }
        for (int row = 0; row < block.count; row += ROWS) {
            int count = Math.min(ROWS, block.count - row);
            long at = block.at + block.step * row;
            long to = outAt + 4L * row;
            if (block.bf16) {
                fourDotsBf16(q, qAt, block.memory, at, block.step, count, heads, out, to, outStep);
            } else {
                fourDots(q, qAt, block.memory, at, block.step, count, heads, out, to, outStep);
            }
        }
    }

    private static void fourDots(
            Object q,
            long qAt,
            Object rows,
            long rowsAt,
            long step,
            int count,
            Heads heads,
            Object out,
            long outAt,
            long outStep) {
        // Where there are fewer rows, the last one stands in for the missing ones.
        long next1 = step * Math.min(1, count - 1);
        long next2 = step * Math.min(2, count - 1);
        long next3 = step * Math.min(3, count - 1);
        for (int query = 0; query < heads.queries(); query++) {
            FloatVector sum0 = Lanes.broadcast(0f);
            FloatVector sum1 = sum0;
            FloatVector sum2 = sum0;
            FloatVector sum3 = sum0;
            long from = qAt + 4L * query * heads.width;
            long at = rowsAt + 4 * heads.offset(query);
            for (int i = 0; i < heads.width; i += WIDTH) {
                FloatVector part = Lanes.load(q, from + 4L * i);
                sum0 = Lanes.load(rows, at + 4L * i).fma(part, sum0);
                sum1 = Lanes.load(rows, at + next1 + 4L * i).fma(part, sum1);
                sum2 = Lanes.load(rows, at + next2 + 4L * i).fma(part, sum2);
                sum3 = Lanes.load(rows, at + next3 + 4L * i).fma(part, sum3);
            }
            long to = outAt + outStep * query;
            Lanes.set(out, to, Lanes.sum(sum0));
            if (count > 1) {
                Lanes.set(out, to + 4, Lanes.sum(sum1));
            }
            if (count > 2) {
                Lanes.set(out, to + 8, Lanes.sum(sum2));
            }
            if (count > 3) {
                Lanes.set(out, to + 12, Lanes.sum(sum3));
            }
        }
    }

    private static void fourDotsBf16(
            Object q,
            long qAt,
            Object rows,
            long rowsAt,
            long step,
            int count,
            Heads heads,
            Object out,
            long outAt,
            long outStep) {
        // Where there are fewer rows, the last one stands in for the missing ones.
        long next1 = step * Math.min(1, count - 1);
        long next2 = step * Math.min(2, count - 1);
        long next3 = step * Math.min(3, count - 1);
        for (int query = 0; query < heads.queries(); query++) {
            FloatVector sum0 = Lanes.broadcast(0f);
            FloatVector sum1 = sum0;
            FloatVector sum2 = sum0;
            FloatVector sum3 = sum0;
            long from = qAt + 4L * query * heads.width;
            long at = rowsAt + 2 * heads.offset(query);
            for (int i = 0; i < heads.width; i += WIDTH) {
                FloatVector part = Lanes.load(q, from + 4L * i);
                sum0 = Lanes.loadBf16(rows, at + 2L * i).fma(part, sum0);
                sum1 = Lanes.loadBf16(rows, at + next1 + 2L * i).fma(part, sum1);
                sum2 = Lanes.loadBf16(rows, at + next2 + 2L * i).fma(part, sum2);
                sum3 = Lanes.loadBf16(rows, at + next3 + 2L * i).fma(part, sum3);
            }
            long to = outAt + outStep * query;
            Lanes.set(out, to, Lanes.sum(sum0));
            if (count > 1) {
                Lanes.set(out, to + 4, Lanes.sum(sum1));
            }
            if (count > 2) {
                Lanes.set(out, to + 8, Lanes.sum(sum2));
            }
            if (count > 3) {
                Lanes.set(out, to + 12, Lanes.sum(sum3));
            }
        }
    }

    private static void plainDots(Object q, long qAt, Block block, Heads heads, Object out, long outAt, long outStep) {
        for (int query = 0; query < heads.queries(); query++) {
            for (int row = 0; row < block.count; row++) {
                float sum = 0f;
                for (int i = 0; i < heads.width; i++) {
                    float part = Lanes.get(q, qAt + 4L * ((long) query * heads.width + i));
                    sum = Math.fma(part, block.get(row, heads.offset(query) + i), sum);
                }
                Lanes.set(out, outAt + outStep * query + 4L * row, sum);
            }
        }
    }

    /**
     * {@code out += sum of p[i] * block[i]} for every query.
     *
     * @param pStep bytes from the weights of a query to those of the next
     */
    static void addWeighted(Object p, long pAt, long pStep, Block block, Heads heads, Object out, long outAt) {
        if (!heads.isWholeVectors()) {
            addPlainly(p, pAt, pStep, block, heads, out, outAt);
            return;
        }
        for (int row = 0; row < block.count; row += ROWS) {
            int count = Math.min(ROWS, block.count - row);
            long at = block.at + block.step * row;
            long from = pAt + 4L * row;
            if (block.bf16) {
                addFourBf16(p, from, pStep, block.memory, at, block.step, count, heads, out, outAt);
            } else {
                addFour(p, from, pStep, block.memory, at, block.step, count, heads, out, outAt);
            }
        }
    }

    private static void addFour(
            Object p,
            long pAt,
            long pStep,
            Object rows,
            long rowsAt,
            long step,
            int count,
            Heads heads,
            Object out,
            long outAt) {
        // Where there are fewer rows, the last one stands in for the missing ones, which weigh nothing.
        long next1 = step * Math.min(1, count - 1);
        long next2 = step * Math.min(2, count - 1);
        long next3 = step * Math.min(3, count - 1);
        for (int query = 0; query < heads.queries(); query++) {
            long from = pAt + pStep * query;
            FloatVector weight0 = Lanes.broadcast(Lanes.get(p, from));
            FloatVector weight1 = Lanes.broadcast(count > 1 ? Lanes.get(p, from + 4) : 0f);
            FloatVector weight2 = Lanes.broadcast(count > 2 ? Lanes.get(p, from + 8) : 0f);
            FloatVector weight3 = Lanes.broadcast(count > 3 ? Lanes.get(p, from + 12) : 0f);
            long at = rowsAt + 4 * heads.offset(query);
            long to = outAt + 4L * query * heads.width;
            for (int i = 0; i < heads.width; i += WIDTH) {
                FloatVector sum = weight0.fma(Lanes.load(rows, at + 4L * i), Lanes.load(out, to + 4L * i));
                sum = weight1.fma(Lanes.load(rows, at + next1 + 4L * i), sum);
                sum = weight2.fma(Lanes.load(rows, at + next2 + 4L * i), sum);
                sum = weight3.fma(Lanes.load(rows, at + next3 + 4L * i), sum);
                Lanes.store(sum, out, to + 4L * i);
            }
        }
    }

    private static void addFourBf16(
            Object p,
            long pAt,
            long pStep,
            Object rows,
            long rowsAt,
            long step,
            int count,
            Heads heads,
            Object out,
            long outAt) {
        // Where there are fewer rows, the last one stands in for the missing ones, which weigh nothing.
        long next1 = step * Math.min(1, count - 1);
        long next2 = step * Math.min(2, count - 1);
        long next3 = step * Math.min(3, count - 1);
        for (int query = 0; query < heads.queries(); query++) {
            long from = pAt + pStep * query;
            FloatVector weight0 = Lanes.broadcast(Lanes.get(p, from));
            FloatVector weight1 = Lanes.broadcast(count > 1 ? Lanes.get(p, from + 4) : 0f);
            FloatVector weight2 = Lanes.broadcast(count > 2 ? Lanes.get(p, from + 8) : 0f);
            FloatVector weight3 = Lanes.broadcast(count > 3 ? Lanes.get(p, from + 12) : 0f);
            long at = rowsAt + 2 * heads.offset(query);
            long to = outAt + 4L * query * heads.width;
            for (int i = 0; i < heads.width; i += WIDTH) {
                FloatVector sum = weight0.fma(Lanes.loadBf16(rows, at + 2L * i), Lanes.load(out, to + 4L * i));
                sum = weight1.fma(Lanes.loadBf16(rows, at + next1 + 2L * i), sum);
                sum = weight2.fma(Lanes.loadBf16(rows, at + next2 + 2L * i), sum);
                sum = weight3.fma(Lanes.loadBf16(rows, at + next3 + 2L * i), sum);
                Lanes.store(sum, out, to + 4L * i);
            }
        }
    }

    private static void addPlainly(Object p, long pAt, long pStep, Block block, Heads heads, Object out, long outAt) {
        for (int query = 0; query < heads.queries(); query++) {
            for (int i = 0; i < heads.width; i++) {
                long to = outAt + 4L * ((long) query * heads.width + i);
                float sum = Lanes.get(out, to);
                for (int row = 0; row < block.count; row++) {
                    float weight = Lanes.get(p, pAt + pStep * query + 4L * row);
                    sum = Math.fma(weight, block.get(row, heads.offset(query) + i), sum);
                }
                Lanes.set(out, to, sum);
            }
        }
    }
}
