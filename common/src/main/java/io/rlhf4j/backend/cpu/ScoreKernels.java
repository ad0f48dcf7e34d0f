package io.rlhf4j.backend.cpu;

import static io.rlhf4j.backend.cpu.Lanes.WIDTH;

import io.rlhf4j.tensor.AttentionSpec;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * One query's row of attention scores against a block of keys. Rows are padded to whole vectors; columns outside
 * [from, to) are keys that the query does not see.
 */
final class ScoreKernels {
    private static final FloatVector NOTHING = Lanes.broadcast(Float.NEGATIVE_INFINITY);

    private ScoreKernels() {}

    /**
     * Turns products into scores in place and returns the largest.
     *
     * @param distance position of column 0's key minus the query's
     * @param slope of ALiBi, or 0
     */
    static float scores(
            AttentionSpec spec, Object s, long at, int columns, int from, int to, float slope, int distance) {
        FloatVector scale = Lanes.broadcast(spec.scale());
        FloatVector lowest = Lanes.broadcast(from);
        FloatVector end = Lanes.broadcast(to);
        if (spec.softcap() > 0f) {
            softcap(s, at, columns, spec.scale(), spec.softcap());
            scale = Lanes.broadcast(1f);
        }
        if (slope != 0f) {
            return scoresWithSlope(s, at, columns, scale, lowest, end, slope, distance);
        }
        FloatVector largest = NOTHING;
        for (int j = 0; j < columns; j += WIDTH) {
            FloatVector column = Lanes.IOTA.add(j);
            FloatVector score = Lanes.load(s, at + 4L * j).mul(scale);
            score = score.blend(NOTHING, column.compare(VectorOperators.GE, end));
            score = score.blend(NOTHING, column.compare(VectorOperators.LT, lowest));
            Lanes.store(score, s, at + 4L * j);
            largest = Lanes.larger(largest, score);
        }
        return Lanes.max(largest);
    }

    private static float scoresWithSlope(
            Object s,
            long at,
            int columns,
            FloatVector scale,
            FloatVector lowest,
            FloatVector end,
            float slope,
            int distance) {
        FloatVector slopes = Lanes.broadcast(slope);
        FloatVector largest = NOTHING;
        for (int j = 0; j < columns; j += WIDTH) {
            FloatVector column = Lanes.IOTA.add(j);
            FloatVector score = Lanes.load(s, at + 4L * j).mul(scale);
            score = column.add(distance).fma(slopes, score);
            score = score.blend(NOTHING, column.compare(VectorOperators.GE, end));
            score = score.blend(NOTHING, column.compare(VectorOperators.LT, lowest));
            Lanes.store(score, s, at + 4L * j);
            largest = Lanes.larger(largest, score);
        }
        return Lanes.max(largest);
    }

    private static void softcap(Object s, long at, int columns, float scale, float cap) {
        FloatVector factor = Lanes.broadcast(scale / cap);
        for (int j = 0; j < columns; j += WIDTH) {
            FloatVector capped = ExactMath.tanh(Lanes.load(s, at + 4L * j).mul(factor)).mul(cap);
            Lanes.store(capped, s, at + 4L * j);
        }
    }

    /** {@code p = exp(s - largest)}, in fp32; returns their sum. p may be s. */
    static float exponentials(Object s, long at, int columns, float largest, Object p, long pAt) {
        FloatVector shift = Lanes.broadcast(largest);
        FloatVector sum = Lanes.broadcast(0f);
        for (int j = 0; j < columns; j += WIDTH) {
            FloatVector e = ExactMath.exp(Lanes.load(s, at + 4L * j).sub(shift));
            Lanes.store(e, p, pAt + 4L * j);
            sum = sum.add(e);
        }
        return Lanes.sum(sum);
    }

    /** {@link #exponentials} stored as bf16; the sum is of the unrounded ones. */
    static float exponentialsBf16(Object s, long at, int columns, float largest, Object p, long pAt) {
        FloatVector shift = Lanes.broadcast(largest);
        FloatVector sum = Lanes.broadcast(0f);
        for (int j = 0; j < columns; j += WIDTH) {
            FloatVector e = ExactMath.exp(Lanes.load(s, at + 4L * j).sub(shift));
            Lanes.storeBf16(e, p, pAt + 2L * j);
            sum = sum.add(e);
        }
        return Lanes.sum(sum);
    }

    /**
     * The gradient through one row's softmax: from products s and the gradients of the probabilities dp it makes, in
     * place, the probabilities p (over s) and the gradients of the products (over dp).
     *
     * @param logSumExp of the row, as the forward pass noted it
     * @param inner sum over the row of p * dp, which is the row's output times its gradient
     */
    static void backward(
            AttentionSpec spec,
            Object s,
            long at,
            Object dp,
            long dpAt,
            int columns,
            int from,
            int to,
            float slope,
            int distance,
            float logSumExp,
            float inner) {
        if (spec.softcap() > 0f || slope != 0f) {
            cappedBackward(
                    spec, s, at, dp, dpAt, columns, from, to, slope, distance, logSumExp, inner);
            return;
        }
        FloatVector scale = Lanes.broadcast(spec.scale());
        FloatVector minusLog = Lanes.broadcast(-logSumExp);
        FloatVector middle = Lanes.broadcast(inner);
        FloatVector lowest = Lanes.broadcast(from);
        FloatVector end = Lanes.broadcast(to);
        for (int j = 0; j < columns; j += WIDTH) {
            FloatVector column = Lanes.IOTA.add(j);
            FloatVector log = Lanes.load(s, at + 4L * j).fma(scale, minusLog);
            log = log.blend(NOTHING, column.compare(VectorOperators.GE, end));
            log = log.blend(NOTHING, column.compare(VectorOperators.LT, lowest));
            FloatVector p = ExactMath.exp(log);
            Lanes.store(p, s, at + 4L * j);
            FloatVector change = Lanes.load(dp, dpAt + 4L * j).sub(middle).mul(scale);
            Lanes.store(p.mul(change), dp, dpAt + 4L * j);
        }
    }

    private static void cappedBackward(
            AttentionSpec spec,
            Object s,
            long at,
            Object dp,
            long dpAt,
            int columns,
            int from,
            int to,
            float slope,
            int distance,
            float logSumExp,
            float inner) {
        boolean capped = spec.softcap() > 0f;
        FloatVector minusLog = Lanes.broadcast(-logSumExp);
        FloatVector middle = Lanes.broadcast(inner);
        FloatVector lowest = Lanes.broadcast(from);
        FloatVector end = Lanes.broadcast(to);
        for (int j = 0; j < columns; j += WIDTH) {
            FloatVector column = Lanes.IOTA.add(j);
            FloatVector score = Lanes.load(s, at + 4L * j).mul(spec.scale());
            FloatVector chain = Lanes.broadcast(spec.scale());
            if (capped) {
                FloatVector t = ExactMath.tanh(score.mul(1f / spec.softcap()));
                score = t.mul(spec.softcap());
                chain = Lanes.broadcast(1f).sub(t.mul(t)).mul(chain);
            }
            FloatVector log = column.add(distance).fma(Lanes.broadcast(slope), score).add(minusLog);
            log = log.blend(NOTHING, column.compare(VectorOperators.GE, end));
            log = log.blend(NOTHING, column.compare(VectorOperators.LT, lowest));
            FloatVector p = ExactMath.exp(log);
            Lanes.store(p, s, at + 4L * j);
            FloatVector change = Lanes.load(dp, dpAt + 4L * j).sub(middle).mul(chain);
            Lanes.store(p.mul(change), dp, dpAt + 4L * j);
        }
    }
}
