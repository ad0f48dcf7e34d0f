package io.rlhf4j.backend.cpu;

import static io.rlhf4j.backend.cpu.Lanes.WIDTH;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** One row of logits, which stays in the second-level cache while it is passed over several times. */
final class LogitKernels {
    private static final FloatVector LOWEST = Lanes.broadcast(Float.NEGATIVE_INFINITY);

    private LogitKernels() {}

    /** {@code l = softcap * tanh(l / softcap) / temperature}, or {@code l / temperature} without softcap. */
    static void cap(Object l, long at, float softcap, float temperature, int n) {
        FloatVector inverse = Lanes.broadcast(softcap > 0f ? 1f / softcap : 1f);
        FloatVector factor = Lanes.broadcast(softcap > 0f ? softcap : 1f);
        FloatVector divisor = Lanes.broadcast(temperature);
        for (int i = 0; i < n; i += WIDTH) {
            int count = Math.min(WIDTH, n - i);
            FloatVector v = part(l, at + 4L * i, count, Lanes.broadcast(0f));
            if (softcap > 0f) {
                v = ExactMath.tanh(v.mul(inverse)).mul(factor);
            }
            v = v.div(divisor);
            if (count == WIDTH) {
                Lanes.store(v, l, at + 4L * i);
            } else {
                Lanes.storePart(v, l, at + 4L * i, count);
            }
        }
    }

    /** A vector, or its first lanes with {@code rest} in the others. */
    private static FloatVector part(Object l, long at, int count, FloatVector rest) {
        if (count == WIDTH) {
            return Lanes.load(l, at);
        }
        FloatVector some = Lanes.loadPart(l, at, count);
        return some.blend(rest, Lanes.IOTA.compare(VectorOperators.GE, count));
    }

    static float largest(Object l, long at, int n) {
        // Running values start from new vectors: a constant object would keep them from living in registers.
        FloatVector a = Lanes.broadcast(Float.NEGATIVE_INFINITY);
        FloatVector b = Lanes.broadcast(Float.NEGATIVE_INFINITY);
        int i = 0;
        for (; i <= n - 2 * WIDTH; i += 2 * WIDTH) {
            a = Lanes.larger(a, Lanes.load(l, at + 4L * i));
            b = Lanes.larger(b, Lanes.load(l, at + 4L * (i + WIDTH)));
        }
        for (; i < n; i += WIDTH) {
            a = Lanes.larger(a, part(l, at + 4L * i, Math.min(WIDTH, n - i), LOWEST));
        }
        return Lanes.max(Lanes.larger(a, b));
    }

    /** Sum of e^(l - largest). */
    static float sum(Object l, long at, float largest, int n) {
        FloatVector shift = Lanes.broadcast(largest);
        FloatVector sum = Lanes.broadcast(0f);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = part(l, at + 4L * i, Math.min(WIDTH, n - i), LOWEST);
            sum = sum.add(ExactMath.expBounded(v.sub(shift)));
        }
        return Lanes.sum(sum);
    }

    /** Sum of e^(l - largest), and of e^(l - largest) (l - largest). */
    static float[] sums(Object l, long at, float largest, int n) {
        FloatVector shift = Lanes.broadcast(largest);
        FloatVector sum = Lanes.broadcast(0f);
        FloatVector weighted = sum;
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            FloatVector distance = Lanes.load(l, at + 4L * i).sub(shift);
            FloatVector e = ExactMath.expBounded(distance);
            sum = sum.add(e);
            weighted = e.fma(distance, weighted);
        }
        if (i < n) {
            // e^-88 counts as nothing, and a finite distance keeps 0 times infinity out of the second sum.
            FloatVector nothing = Lanes.broadcast(largest - 200f);
            FloatVector distance = part(l, at + 4L * i, n - i, nothing).sub(shift);
            FloatVector e = ExactMath.expBounded(distance);
            sum = sum.add(e);
            weighted = e.fma(distance, weighted);
        }
        return new float[] {Lanes.sum(sum), Lanes.sum(weighted)};
    }

    /**
     * What the gradient of one row's logits is made of.
     *
     * @param ofLogProb derivative of the loss by the target's log-probability
     * @param ofEntropy derivative of the loss by the row's entropy
     * @param logSumExp of the row
     * @param entropy of the row
     * @param limit softcap / temperature, or 0
     * @param temperature divides logits
     */
    record Slopes(float ofLogProb, float ofEntropy, float logSumExp, float entropy, float limit, float temperature) {}

    /** Gradients of the logits, as if none were the target's. out may be l. */
    static void slopes(Slopes s, Object l, long at, Object out, long outAt, int n) {
        if (s.ofEntropy == 0f && s.limit <= 0f) {
            plainSlopes(-s.ofLogProb / s.temperature, s.logSumExp, l, at, out, outAt, n);
            return;
        }
        for (int i = 0; i < n; i += WIDTH) {
            int count = Math.min(WIDTH, n - i);
            FloatVector slope = slope(s, part(l, at + 4L * i, count, Lanes.broadcast(s.logSumExp)));
            if (count == WIDTH) {
                Lanes.store(slope, out, outAt + 4L * i);
            } else {
                Lanes.storePart(slope, out, outAt + 4L * i, count);
            }
        }
    }

    /** {@link #slopes} rounded to bf16. */
    static void slopesBf16(Slopes s, Object l, long at, Object out, long outAt, int n) {
        boolean plain = s.ofEntropy == 0f && s.limit <= 0f;
        int i = 0;
        if (plain) {
            i = plainSlopesBf16(-s.ofLogProb / s.temperature, s.logSumExp, l, at, out, outAt, n);
        }
        for (; i <= n - WIDTH; i += WIDTH) {
            Lanes.storeBf16(slope(s, Lanes.load(l, at + 4L * i)), out, outAt + 2L * i);
        }
        if (i < n) {
            FloatVector slope = slope(s, part(l, at + 4L * i, n - i, Lanes.broadcast(s.logSumExp)));
            for (int lane = 0; lane < n - i; lane++) {
                Lanes.setBf16(out, outAt + 2L * (i + lane), slope.lane(lane));
            }
        }
    }

    private static void plainSlopes(float factor, float logSumExp, Object l, long at, Object out, long outAt, int n) {
        FloatVector shift = Lanes.broadcast(logSumExp);
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            Lanes.store(
                    ExactMath.expBounded(Lanes.load(l, at + 4L * i).sub(shift)).mul(factor), out, outAt + 4L * i);
        }
        if (i < n) {
            FloatVector p =
                    ExactMath.expBounded(Lanes.loadPart(l, at + 4L * i, n - i).sub(shift));
            Lanes.storePart(p.mul(factor), out, outAt + 4L * i, n - i);
        }
    }

    private static int plainSlopesBf16(
            float factor, float logSumExp, Object l, long at, Object out, long outAt, int n) {
        FloatVector shift = Lanes.broadcast(logSumExp);
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            FloatVector p = ExactMath.expBounded(Lanes.load(l, at + 4L * i).sub(shift));
            Lanes.storeBf16(p.mul(factor), out, outAt + 2L * i);
        }
        return i;
    }

    /** d loss / d logit of tokens that are not the target: p falls as theirs rises. */
    private static FloatVector slope(Slopes s, FloatVector l) {
        FloatVector logP = l.sub(s.logSumExp);
        FloatVector p = ExactMath.expBounded(logP);
        // d entropy / d l_j = -p_j (log p_j + entropy). A p of 0 may come with log p = -infinity.
        FloatVector bounded = Lanes.larger(logP, Lanes.broadcast(-200f));
        FloatVector byEntropy = bounded.add(s.entropy).mul(-s.ofEntropy);
        FloatVector slope = p.mul(byEntropy.sub(s.ofLogProb));
        return slope.mul(chain(s, l));
    }

    /** d logit after softcap and temperature / d logit before. */
    private static FloatVector chain(Slopes s, FloatVector l) {
        FloatVector one = Lanes.broadcast(1f);
        if (s.limit > 0f) {
            FloatVector t = l.div(s.limit);
            return one.sub(t.mul(t)).div(s.temperature);
        }
        return one.div(s.temperature);
    }

    /** The gradient of the target's logit. */
    static float slopeAtTarget(Slopes s, float logit) {
        FloatVector l = Lanes.broadcast(logit);
        FloatVector other = slope(s, l);
        return other.add(chain(s, l).mul(s.ofLogProb)).lane(0);
    }
}
