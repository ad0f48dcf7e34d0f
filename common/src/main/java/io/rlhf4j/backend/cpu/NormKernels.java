package io.rlhf4j.backend.cpu;

import static io.rlhf4j.backend.cpu.Lanes.WIDTH;

import jdk.incubator.vector.FloatVector;

/** One row's share of a normalisation. Sums run in four vectors, so that additions need not wait for each other. */
final class NormKernels {
    private NormKernels() {}

    static float sum(Object x, long at, int n) {
        FloatVector a = Lanes.broadcast(0f);
        FloatVector b = a;
        FloatVector c = a;
        FloatVector d = a;
        int i = 0;
        for (; i <= n - 4 * WIDTH; i += 4 * WIDTH) {
            a = a.add(Lanes.load(x, at + 4L * i));
            b = b.add(Lanes.load(x, at + 4L * (i + WIDTH)));
            c = c.add(Lanes.load(x, at + 4L * (i + 2 * WIDTH)));
            d = d.add(Lanes.load(x, at + 4L * (i + 3 * WIDTH)));
        }
        for (; i <= n - WIDTH; i += WIDTH) {
            a = a.add(Lanes.load(x, at + 4L * i));
        }
        if (i < n) {
            b = b.add(Lanes.loadPart(x, at + 4L * i, n - i));
        }
        return Lanes.sum(a.add(b).add(c.add(d)));
    }

    /** Sum of (x - centre)^2. */
    static float squaredDistance(Object x, long at, float centre, int n) {
        FloatVector middle = Lanes.broadcast(centre);
        FloatVector a = Lanes.broadcast(0f);
        FloatVector b = a;
        FloatVector c = a;
        FloatVector d = a;
        int i = 0;
        for (; i <= n - 4 * WIDTH; i += 4 * WIDTH) {
            FloatVector p = Lanes.load(x, at + 4L * i).sub(middle);
            FloatVector q = Lanes.load(x, at + 4L * (i + WIDTH)).sub(middle);
            FloatVector r = Lanes.load(x, at + 4L * (i + 2 * WIDTH)).sub(middle);
            FloatVector s = Lanes.load(x, at + 4L * (i + 3 * WIDTH)).sub(middle);
            a = p.fma(p, a);
            b = q.fma(q, b);
            c = r.fma(r, c);
            d = s.fma(s, d);
        }
        for (; i <= n - WIDTH; i += WIDTH) {
            FloatVector p = Lanes.load(x, at + 4L * i).sub(middle);
            a = p.fma(p, a);
        }
        float rest = 0f;
        for (; i < n; i++) {
            float p = Lanes.get(x, at + 4L * i) - centre;
            rest = Math.fma(p, p, rest);
        }
        return Lanes.sum(a.add(b).add(c.add(d))) + rest;
    }

    /** {@code out = (x - mean) * rstd * weight + bias}. */
    static void normalize(Span x, float mean, float rstd, Span weight, Span bias, Span out, int n) {
        normalize(
                x.memory,
                x.offset,
                mean,
                rstd,
                weight.memory,
                weight.offset,
                bias.memory,
                bias.offset,
                out.memory,
                out.offset,
                n);
    }

    private static void normalize(
            Object x,
            long xAt,
            float mean,
            float rstd,
            Object weight,
            long weightAt,
            Object bias,
            long biasAt,
            Object out,
            long outAt,
            int n) {
        FloatVector middle = Lanes.broadcast(mean);
        FloatVector factor = Lanes.broadcast(rstd);
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            FloatVector normal = Lanes.load(x, xAt + 4L * i).sub(middle).mul(factor);
            FloatVector result = normal.fma(Lanes.load(weight, weightAt + 4L * i), Lanes.load(bias, biasAt + 4L * i));
            Lanes.store(result, out, outAt + 4L * i);
        }
        for (; i < n; i++) {
            float normal = (Lanes.get(x, xAt + 4L * i) - mean) * rstd;
            float result = Math.fma(normal, Lanes.get(weight, weightAt + 4L * i), Lanes.get(bias, biasAt + 4L * i));
            Lanes.set(out, outAt + 4L * i, result);
        }
    }

    /** {@code weightSum += dy * normal; biasSum += dy}. */
    static void addWeightGradients(Span x, Span dy, float mean, float rstd, Span weightSum, Span biasSum, int n) {
        addWeightGradients(
                x.memory,
                x.offset,
                dy.memory,
                dy.offset,
                mean,
                rstd,
                weightSum.memory,
                weightSum.offset,
                biasSum.memory,
                biasSum.offset,
                n);
    }

    private static void addWeightGradients(
            Object x,
            long xAt,
            Object dy,
            long dyAt,
            float mean,
            float rstd,
            Object weightSum,
            long weightAt,
            Object biasSum,
            long biasAt,
            int n) {
        FloatVector middle = Lanes.broadcast(mean);
        FloatVector factor = Lanes.broadcast(rstd);
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            FloatVector gradient = Lanes.load(dy, dyAt + 4L * i);
            FloatVector normal = Lanes.load(x, xAt + 4L * i).sub(middle).mul(factor);
            Lanes.store(gradient.fma(normal, Lanes.load(weightSum, weightAt + 4L * i)), weightSum, weightAt + 4L * i);
            Lanes.store(gradient.add(Lanes.load(biasSum, biasAt + 4L * i)), biasSum, biasAt + 4L * i);
        }
        for (; i < n; i++) {
            float gradient = Lanes.get(dy, dyAt + 4L * i);
            float normal = (Lanes.get(x, xAt + 4L * i) - mean) * rstd;
            Lanes.set(
                    weightSum, weightAt + 4L * i, Math.fma(gradient, normal, Lanes.get(weightSum, weightAt + 4L * i)));
            Lanes.set(biasSum, biasAt + 4L * i, gradient + Lanes.get(biasSum, biasAt + 4L * i));
        }
    }

    /**
     * {@code dx = rstd * (g - mean(g) - normal * mean(g * normal))} with g = dy * weight; without {@code mean(g)} where the
     * norm does not centre.
     */
    static void backward(Span x, Span dy, float mean, float rstd, boolean centred, Span weight, Span dx, int n) {
        float along =
                dotNormal(x.memory, x.offset, dy.memory, dy.offset, weight.memory, weight.offset, mean, rstd, n) / n;
        float common = centred ? NormKernels.dot(dy.memory, dy.offset, weight.memory, weight.offset, n) / n : 0f;
        backward(
                x.memory,
                x.offset,
                dy.memory,
                dy.offset,
                weight.memory,
                weight.offset,
                mean,
                rstd,
                along,
                common,
                dx.memory,
                dx.offset,
                n);
    }

    private static void backward(
            Object x,
            long xAt,
            Object dy,
            long dyAt,
            Object weight,
            long weightAt,
            float mean,
            float rstd,
            float along,
            float common,
            Object dx,
            long dxAt,
            int n) {
        FloatVector middle = Lanes.broadcast(mean);
        FloatVector factor = Lanes.broadcast(rstd);
        FloatVector minusAlong = Lanes.broadcast(-along);
        FloatVector minusCommon = Lanes.broadcast(-common);
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            FloatVector normal = Lanes.load(x, xAt + 4L * i).sub(middle).mul(factor);
            FloatVector g = Lanes.load(dy, dyAt + 4L * i).mul(Lanes.load(weight, weightAt + 4L * i));
            Lanes.store(normal.fma(minusAlong, g.add(minusCommon)).mul(factor), dx, dxAt + 4L * i);
        }
        for (; i < n; i++) {
            float normal = (Lanes.get(x, xAt + 4L * i) - mean) * rstd;
            float g = Lanes.get(dy, dyAt + 4L * i) * Lanes.get(weight, weightAt + 4L * i) - common;
            Lanes.set(dx, dxAt + 4L * i, Math.fma(normal, -along, g) * rstd);
        }
    }

    /** Sum of x * y. */
    static float dot(Object x, long xAt, Object y, long yAt, int n) {
        FloatVector a = Lanes.broadcast(0f);
        FloatVector b = a;
        int i = 0;
        for (; i <= n - 2 * WIDTH; i += 2 * WIDTH) {
            a = Lanes.load(x, xAt + 4L * i).fma(Lanes.load(y, yAt + 4L * i), a);
            b = Lanes.load(x, xAt + 4L * (i + WIDTH)).fma(Lanes.load(y, yAt + 4L * (i + WIDTH)), b);
        }
        for (; i <= n - WIDTH; i += WIDTH) {
            a = Lanes.load(x, xAt + 4L * i).fma(Lanes.load(y, yAt + 4L * i), a);
        }
        float rest = 0f;
        for (; i < n; i++) {
            rest = Math.fma(Lanes.get(x, xAt + 4L * i), Lanes.get(y, yAt + 4L * i), rest);
        }
        return Lanes.sum(a.add(b)) + rest;
    }

    /** Sum of dy * weight * normal. */
    private static float dotNormal(
            Object x, long xAt, Object dy, long dyAt, Object weight, long weightAt, float mean, float rstd, int n) {
        FloatVector middle = Lanes.broadcast(mean);
        FloatVector factor = Lanes.broadcast(rstd);
        FloatVector a = Lanes.broadcast(0f);
        FloatVector b = a;
        int i = 0;
        for (; i <= n - 2 * WIDTH; i += 2 * WIDTH) {
            int j = i + WIDTH;
            FloatVector p = Lanes.load(x, xAt + 4L * i).sub(middle).mul(factor);
            FloatVector q = Lanes.load(x, xAt + 4L * j).sub(middle).mul(factor);
            a = p.fma(Lanes.load(dy, dyAt + 4L * i).mul(Lanes.load(weight, weightAt + 4L * i)), a);
            b = q.fma(Lanes.load(dy, dyAt + 4L * j).mul(Lanes.load(weight, weightAt + 4L * j)), b);
        }
        for (; i <= n - WIDTH; i += WIDTH) {
            FloatVector p = Lanes.load(x, xAt + 4L * i).sub(middle).mul(factor);
            a = p.fma(Lanes.load(dy, dyAt + 4L * i).mul(Lanes.load(weight, weightAt + 4L * i)), a);
        }
        float rest = 0f;
        for (; i < n; i++) {
            float p = (Lanes.get(x, xAt + 4L * i) - mean) * rstd;
            rest = Math.fma(p, Lanes.get(dy, dyAt + 4L * i) * Lanes.get(weight, weightAt + 4L * i), rest);
        }
        return Lanes.sum(a.add(b)) + rest;
    }
}
