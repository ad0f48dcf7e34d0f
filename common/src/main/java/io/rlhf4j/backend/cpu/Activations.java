package io.rlhf4j.backend.cpu;

import static io.rlhf4j.backend.cpu.Lanes.WIDTH;

import io.rlhf4j.tensor.Activation;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** The non-linearities and their derivatives, on runs of fp32. */
final class Activations {
    private static final float ROOT_HALF = 0.70710678f;
    /** 1 / sqrt(2 pi). */
    private static final float DENSITY = 0.39894228f;
    /** 2 sqrt(2 / pi): tanh(u) = 2 sigmoid(2u) - 1. */
    private static final float TANH_SCALE = 1.5957691f;

    private static final float TANH_CUBIC = 0.044715f;

    private Activations() {}

    /** {@code out = f(x)}; out may be x. */
    static void value(Activation f, Span x, Span out, int count) {
        switch (f) {
            case RELU -> relu(x.memory, x.offset, out.memory, out.offset, count);
            case GELU -> gelu(x.memory, x.offset, out.memory, out.offset, count);
            case GELU_TANH -> geluTanh(x.memory, x.offset, out.memory, out.offset, count);
            case SILU -> silu(x.memory, x.offset, out.memory, out.offset, count);
        }
    }

    /** {@code out = f'(x)}; out may be x. */
    static void derivative(Activation f, Span x, Span out, int count) {
        switch (f) {
            case RELU -> reluDerivative(x.memory, x.offset, out.memory, out.offset, count);
            case GELU -> geluDerivative(x.memory, x.offset, out.memory, out.offset, count);
            case GELU_TANH -> geluTanhDerivative(x.memory, x.offset, out.memory, out.offset, count);
            case SILU -> siluDerivative(x.memory, x.offset, out.memory, out.offset, count);
        }
    }

    private static void relu(Object x, long from, Object out, long to, int count) {
        int i = 0;
        for (; i <= count - WIDTH; i += WIDTH) {
            Lanes.store(relu(Lanes.load(x, from + 4L * i)), out, to + 4L * i);
        }
        if (i < count) {
            Lanes.storePart(relu(Lanes.loadPart(x, from + 4L * i, count - i)), out, to + 4L * i, count - i);
        }
    }

    private static FloatVector relu(FloatVector x) {
        return x.blend(0f, x.compare(VectorOperators.LT, 0f));
    }

    private static void reluDerivative(Object x, long from, Object out, long to, int count) {
        int i = 0;
        for (; i <= count - WIDTH; i += WIDTH) {
            Lanes.store(step(Lanes.load(x, from + 4L * i)), out, to + 4L * i);
        }
        if (i < count) {
            Lanes.storePart(step(Lanes.loadPart(x, from + 4L * i, count - i)), out, to + 4L * i, count - i);
        }
    }

    private static FloatVector step(FloatVector x) {
        return Lanes.broadcast(0f).blend(1f, x.compare(VectorOperators.GT, 0f));
    }

    private static void gelu(Object x, long from, Object out, long to, int count) {
        int i = 0;
        for (; i <= count - WIDTH; i += WIDTH) {
            Lanes.store(gelu(Lanes.load(x, from + 4L * i)), out, to + 4L * i);
        }
        if (i < count) {
            Lanes.storePart(gelu(Lanes.loadPart(x, from + 4L * i, count - i)), out, to + 4L * i, count - i);
        }
    }

    private static FloatVector gelu(FloatVector x) {
        FloatVector half = x.mul(0.5f);
        return half.fma(ExactMath.erf(x.mul(ROOT_HALF)), half);
    }

    private static void geluDerivative(Object x, long from, Object out, long to, int count) {
        int i = 0;
        for (; i <= count - WIDTH; i += WIDTH) {
            Lanes.store(geluDerivative(Lanes.load(x, from + 4L * i)), out, to + 4L * i);
        }
        if (i < count) {
            Lanes.storePart(geluDerivative(Lanes.loadPart(x, from + 4L * i, count - i)), out, to + 4L * i, count - i);
        }
    }

    private static FloatVector geluDerivative(FloatVector x) {
        FloatVector share = ExactMath.erf(x.mul(ROOT_HALF)).fma(Lanes.broadcast(0.5f), Lanes.broadcast(0.5f));
        FloatVector density = ExactMath.exp(x.mul(x).mul(-0.5f)).mul(DENSITY);
        return x.fma(density, share);
    }

    private static void geluTanh(Object x, long from, Object out, long to, int count) {
        int i = 0;
        for (; i <= count - WIDTH; i += WIDTH) {
            Lanes.store(geluTanh(Lanes.load(x, from + 4L * i)), out, to + 4L * i);
        }
        if (i < count) {
            Lanes.storePart(geluTanh(Lanes.loadPart(x, from + 4L * i, count - i)), out, to + 4L * i, count - i);
        }
    }

    private static FloatVector geluTanh(FloatVector x) {
        FloatVector cubic = x.mul(x).fma(Lanes.broadcast(TANH_CUBIC), Lanes.broadcast(1f));
        return x.mul(ExactMath.sigmoid(x.mul(TANH_SCALE).mul(cubic)));
    }

    private static void geluTanhDerivative(Object x, long from, Object out, long to, int count) {
        int i = 0;
        for (; i <= count - WIDTH; i += WIDTH) {
            Lanes.store(geluTanhDerivative(Lanes.load(x, from + 4L * i)), out, to + 4L * i);
        }
        if (i < count) {
            Lanes.storePart(
                    geluTanhDerivative(Lanes.loadPart(x, from + 4L * i, count - i)), out, to + 4L * i, count - i);
        }
    }

    private static FloatVector geluTanhDerivative(FloatVector x) {
        FloatVector square = x.mul(x);
        FloatVector cubic = square.fma(Lanes.broadcast(TANH_CUBIC), Lanes.broadcast(1f));
        FloatVector s = ExactMath.sigmoid(x.mul(TANH_SCALE).mul(cubic));
        FloatVector inner = square.fma(Lanes.broadcast(3f * TANH_CUBIC), Lanes.broadcast(1f))
                .mul(TANH_SCALE);
        FloatVector slope = s.mul(Lanes.broadcast(1f).sub(s)).mul(inner);
        return x.fma(slope, s);
    }

    private static void silu(Object x, long from, Object out, long to, int count) {
        int i = 0;
        for (; i <= count - WIDTH; i += WIDTH) {
            FloatVector v = Lanes.load(x, from + 4L * i);
            Lanes.store(v.mul(ExactMath.sigmoid(v)), out, to + 4L * i);
        }
        if (i < count) {
            FloatVector v = Lanes.loadPart(x, from + 4L * i, count - i);
            Lanes.storePart(v.mul(ExactMath.sigmoid(v)), out, to + 4L * i, count - i);
        }
    }

    private static void siluDerivative(Object x, long from, Object out, long to, int count) {
        int i = 0;
        for (; i <= count - WIDTH; i += WIDTH) {
            Lanes.store(siluDerivative(Lanes.load(x, from + 4L * i)), out, to + 4L * i);
        }
        if (i < count) {
            Lanes.storePart(siluDerivative(Lanes.loadPart(x, from + 4L * i, count - i)), out, to + 4L * i, count - i);
        }
    }

    private static FloatVector siluDerivative(FloatVector x) {
        FloatVector s = ExactMath.sigmoid(x);
        return x.fma(s.mul(Lanes.broadcast(1f).sub(s)), s);
    }
}
