package io.rlhf4j.backend.cpu;

import static io.rlhf4j.backend.cpu.Lanes.WIDTH;

import io.rlhf4j.tensor.Activation;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** The non-linearities and their derivatives, on runs of fp32. */
final class Activations {
    private static final FloatVector ZERO = Lanes.broadcast(0f);
    private static final FloatVector HALF = Lanes.broadcast(0.5f);
    private static final FloatVector MINUS_HALF = Lanes.broadcast(-0.5f);
    private static final FloatVector ONE = Lanes.broadcast(1f);
    /** 1 / sqrt(2 pi). */
    private static final FloatVector DENSITY = Lanes.broadcast(0.39894228f);
    /** 2 sqrt(2 / pi): tanh(u) = 2 sigmoid(2u) - 1. */
    private static final FloatVector TANH_SCALE = Lanes.broadcast(1.5957691f);

    private static final FloatVector TANH_CUBIC = Lanes.broadcast(0.044715f * 1.5957691f);
    private static final FloatVector TANH_CUBIC_SLOPE = Lanes.broadcast(3f * 0.044715f * 1.5957691f);

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

    /** {@code out = f'(x)}; out is not x. */
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
        return x.max(ZERO);
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
        return ZERO.blend(ONE, x.compare(VectorOperators.GT, ZERO));
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
        return x.mul(ExactMath.normalShare(x));
    }

    /** In two passes: the compiler stops taking calls into a loop that has grown too long. */
    private static void geluDerivative(Object x, long from, Object out, long to, int count) {
        int i = 0;
        for (; i <= count - WIDTH; i += WIDTH) {
            Lanes.store(ExactMath.normalShare(Lanes.load(x, from + 4L * i)), out, to + 4L * i);
        }
        if (i < count) {
            FloatVector share = ExactMath.normalShare(Lanes.loadPart(x, from + 4L * i, count - i));
            Lanes.storePart(share, out, to + 4L * i, count - i);
        }
        addDensity(x, from, out, to, count);
    }

    /** {@code out += x phi(x)}. */
    private static void addDensity(Object x, long from, Object out, long to, int count) {
        int i = 0;
        for (; i <= count - WIDTH; i += WIDTH) {
            FloatVector v = Lanes.load(x, from + 4L * i);
            Lanes.store(v.fma(density(v), Lanes.load(out, to + 4L * i)), out, to + 4L * i);
        }
        if (i < count) {
            FloatVector v = Lanes.loadPart(x, from + 4L * i, count - i);
            FloatVector sum = v.fma(density(v), Lanes.loadPart(out, to + 4L * i, count - i));
            Lanes.storePart(sum, out, to + 4L * i, count - i);
        }
    }

    private static FloatVector density(FloatVector x) {
        return ExactMath.expBounded(x.mul(x).mul(MINUS_HALF)).mul(DENSITY);
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
        FloatVector twice = x.mul(x).fma(TANH_CUBIC, TANH_SCALE);
        return x.mul(ExactMath.sigmoid(x.mul(twice)));
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
        FloatVector s = ExactMath.sigmoid(x.mul(square.fma(TANH_CUBIC, TANH_SCALE)));
        FloatVector inner = square.fma(TANH_CUBIC_SLOPE, TANH_SCALE);
        return x.fma(s.mul(ONE.sub(s)).mul(inner), s);
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
        return x.fma(s.mul(ONE.sub(s)), s);
    }
}
