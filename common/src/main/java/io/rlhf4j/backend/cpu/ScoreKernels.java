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
        FloatVector largest = Lanes.broadcast(Float.NEGATIVE_INFINITY);
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
        FloatVector largest = Lanes.broadcast(Float.NEGATIVE_INFINITY);
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
            FloatVector capped =
                    ExactMath.tanh(Lanes.load(s, at + 4L * j).mul(factor)).mul(cap);
            Lanes.store(capped, s, at + 4L * j);
        }
    }

    /** {@code p = exp(s - largest)}, in fp32; returns their sum. p may be s. */
    static float exponentials(Object s, long at, int columns, float largest, Object p, long pAt) {
        FloatVector shift = Lanes.broadcast(largest);
        FloatVector sum = Lanes.broadcast(0f);
        for (int j = 0; j < columns; j += WIDTH) {
            FloatVector e = ExactMath.expBounded(Lanes.load(s, at + 4L * j).sub(shift));
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
            FloatVector e = ExactMath.expBounded(Lanes.load(s, at + 4L * j).sub(shift));
            Lanes.storeBf16(e, p, pAt + 2L * j);
            sum = sum.add(e);
        }
        return Lanes.sum(sum);
    }

    /**
     * Probabilities of one row over the whole sequence, in place of its products s.
     *
     * @param logSumExp of the row, as the forward pass noted it
     */
    static void probabilities(
            AttentionSpec spec,
            Object s,
            long at,
            int columns,
            int from,
            int to,
            float slope,
            int distance,
            float logSumExp) {
        FloatVector scale = Lanes.broadcast(spec.scale());
        if (spec.softcap() > 0f) {
            softcap(s, at, columns, spec.scale(), spec.softcap());
            scale = Lanes.broadcast(1f);
        }
        FloatVector slopes = Lanes.broadcast(slope);
        FloatVector minusLog = Lanes.broadcast(-logSumExp);
        FloatVector lowest = Lanes.broadcast(from);
        FloatVector end = Lanes.broadcast(to);
        for (int j = 0; j < columns; j += WIDTH) {
            FloatVector column = Lanes.IOTA.add(j);
            FloatVector log = Lanes.load(s, at + 4L * j).fma(scale, minusLog);
            log = column.add(distance).fma(slopes, log);
            log = log.blend(NOTHING, column.compare(VectorOperators.GE, end));
            log = log.blend(NOTHING, column.compare(VectorOperators.LT, lowest));
            Lanes.store(ExactMath.expBounded(log), s, at + 4L * j);
        }
    }

    /**
     * Gradients of one row's products, in place of the gradients dp of its probabilities p.
     *
     * @param inner sum over the row of p * dp
     */
    static void gradients(float scale, Object p, long at, Object dp, long dpAt, int columns, float inner) {
        FloatVector factor = Lanes.broadcast(scale);
        FloatVector middle = Lanes.broadcast(inner);
        for (int j = 0; j < columns; j += WIDTH) {
            FloatVector change = Lanes.load(dp, dpAt + 4L * j).sub(middle).mul(factor);
            Lanes.store(Lanes.load(p, at + 4L * j).mul(change), dp, dpAt + 4L * j);
        }
    }

    /** Takes gradients of capped scores, in place, to gradients of the products s. */
    static void uncap(AttentionSpec spec, Object s, long at, Object ds, long dsAt, int columns) {
        FloatVector factor = Lanes.broadcast(spec.scale() / spec.softcap());
        FloatVector one = Lanes.broadcast(1f);
        for (int j = 0; j < columns; j += WIDTH) {
            FloatVector t = ExactMath.tanh(Lanes.load(s, at + 4L * j).mul(factor));
            Lanes.store(Lanes.load(ds, dsAt + 4L * j).mul(one.sub(t.mul(t))), ds, dsAt + 4L * j);
        }
    }
}
