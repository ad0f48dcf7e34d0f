package io.rlhf4j.backend.cpu;

import static io.rlhf4j.backend.cpu.Lanes.WIDTH;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * The inner loops of {@link FewRowsProduct}: rows of the input, split into elements of even and of odd places, against four
 * rows of bf16 weights. A vector of weights holds pairs: shifted up it is the even ones in fp32, masked the odd ones.
 *
 * <p>The input lies on the heap, and each loop is a method of its own: loads from native memory take so much of the
 * compiler's budget that it would give up keeping sixteen running sums in registers.
 */
final class FewRowsKernels {
    /** Rows of weights that a pass takes. */
    static final int OUTPUTS = 4;

    private static final int STEP_BYTES = 4 * WIDTH;
    private static final IntVector ODD = (IntVector) IntVector.zero(Lanes.INTS).broadcast(0xffff0000);

    private FewRowsKernels() {}

    /** Elements of even places of each step, then those of odd places, as fp32. */
    static void split(Object x, long at, float[] out, int outAt, int steps) {
        for (int i = 0; i < steps; i++) {
            IntVector pairs = Lanes.load(x, at + (STEP_BYTES * i)).reinterpretAsInts();
            even(pairs).intoArray(out, outAt + 2 * WIDTH * i);
            odd(pairs).intoArray(out, outAt + 2 * WIDTH * i + WIDTH);
        }
    }

    private static FloatVector even(IntVector pairs) {
        return pairs.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
    }

    private static FloatVector odd(IntVector pairs) {
        return pairs.and(ODD).reinterpretAsFloats();
    }

    /** The sum of the lanes that begin at {@code at}. */
    static float sum(float[] lanes, int at) {
        return Lanes.sum(FloatVector.fromArray(Lanes.FLOATS, lanes, at));
    }

    /** {@code sums[i] = lanes of x . w[i]}: one row of the input. */
    static void one(Object w, long at, long stride, float[] x, int xAt, float[] sums, int steps) {
        FloatVector a = Lanes.broadcast(0f);
        FloatVector b = Lanes.broadcast(0f);
        FloatVector c = Lanes.broadcast(0f);
        FloatVector d = Lanes.broadcast(0f);
        long second = at + stride;
        long third = at + 2 * stride;
        long fourth = at + 3 * stride;
        for (int i = 0; i < steps; i++) {
            FloatVector xEven = FloatVector.fromArray(Lanes.FLOATS, x, xAt + 2 * WIDTH * i);
            FloatVector xOdd = FloatVector.fromArray(Lanes.FLOATS, x, xAt + 2 * WIDTH * i + WIDTH);
            IntVector w0 = Lanes.load(w, at + (STEP_BYTES * i)).reinterpretAsInts();
            IntVector w1 = Lanes.load(w, second + (STEP_BYTES * i)).reinterpretAsInts();
            IntVector w2 = Lanes.load(w, third + (STEP_BYTES * i)).reinterpretAsInts();
            IntVector w3 = Lanes.load(w, fourth + (STEP_BYTES * i)).reinterpretAsInts();
            a = xOdd.fma(odd(w0), xEven.fma(even(w0), a));
            b = xOdd.fma(odd(w1), xEven.fma(even(w1), b));
            c = xOdd.fma(odd(w2), xEven.fma(even(w2), c));
            d = xOdd.fma(odd(w3), xEven.fma(even(w3), d));
        }
        a.intoArray(sums, 0);
        b.intoArray(sums, WIDTH);
        c.intoArray(sums, 2 * WIDTH);
        d.intoArray(sums, 3 * WIDTH);
    }

    /** {@code sums[4 row + i] = lanes of x[row] . w[i]}: two rows of the input. */
    static void two(Object w, long at, long stride, float[] x, int xAt, int xStride, float[] sums, int steps) {
        FloatVector a0 = Lanes.broadcast(0f);
        FloatVector b0 = Lanes.broadcast(0f);
        FloatVector c0 = Lanes.broadcast(0f);
        FloatVector d0 = Lanes.broadcast(0f);
        FloatVector a1 = Lanes.broadcast(0f);
        FloatVector b1 = Lanes.broadcast(0f);
        FloatVector c1 = Lanes.broadcast(0f);
        FloatVector d1 = Lanes.broadcast(0f);
        long second = at + stride;
        long third = at + 2 * stride;
        long fourth = at + 3 * stride;
        int xAt1 = xAt + xStride;
        for (int i = 0; i < steps; i++) {
            IntVector w0 = Lanes.load(w, at + (STEP_BYTES * i)).reinterpretAsInts();
            IntVector w1 = Lanes.load(w, second + (STEP_BYTES * i)).reinterpretAsInts();
            IntVector w2 = Lanes.load(w, third + (STEP_BYTES * i)).reinterpretAsInts();
            IntVector w3 = Lanes.load(w, fourth + (STEP_BYTES * i)).reinterpretAsInts();
            FloatVector even0 = FloatVector.fromArray(Lanes.FLOATS, x, xAt + 2 * WIDTH * i);
            FloatVector odd0 = FloatVector.fromArray(Lanes.FLOATS, x, xAt + 2 * WIDTH * i + WIDTH);
            a0 = odd0.fma(odd(w0), even0.fma(even(w0), a0));
            b0 = odd0.fma(odd(w1), even0.fma(even(w1), b0));
            c0 = odd0.fma(odd(w2), even0.fma(even(w2), c0));
            d0 = odd0.fma(odd(w3), even0.fma(even(w3), d0));
            FloatVector even1 = FloatVector.fromArray(Lanes.FLOATS, x, xAt1 + 2 * WIDTH * i);
            FloatVector odd1 = FloatVector.fromArray(Lanes.FLOATS, x, xAt1 + 2 * WIDTH * i + WIDTH);
            a1 = odd1.fma(odd(w0), even1.fma(even(w0), a1));
            b1 = odd1.fma(odd(w1), even1.fma(even(w1), b1));
            c1 = odd1.fma(odd(w2), even1.fma(even(w2), c1));
            d1 = odd1.fma(odd(w3), even1.fma(even(w3), d1));
        }
        a0.intoArray(sums, 0);
        b0.intoArray(sums, WIDTH);
        c0.intoArray(sums, 2 * WIDTH);
        d0.intoArray(sums, 3 * WIDTH);
        a1.intoArray(sums, 4 * WIDTH);
        b1.intoArray(sums, 5 * WIDTH);
        c1.intoArray(sums, 6 * WIDTH);
        d1.intoArray(sums, 7 * WIDTH);
    }

    /** {@code sums[4 row + i] = lanes of x[row] . w[i]}: four rows of the input. */
    static void four(Object w, long at, long stride, float[] x, int xAt, int xStride, float[] sums, int steps) {
        FloatVector a0 = Lanes.broadcast(0f);
        FloatVector b0 = Lanes.broadcast(0f);
        FloatVector c0 = Lanes.broadcast(0f);
        FloatVector d0 = Lanes.broadcast(0f);
        FloatVector a1 = Lanes.broadcast(0f);
        FloatVector b1 = Lanes.broadcast(0f);
        FloatVector c1 = Lanes.broadcast(0f);
        FloatVector d1 = Lanes.broadcast(0f);
        FloatVector a2 = Lanes.broadcast(0f);
        FloatVector b2 = Lanes.broadcast(0f);
        FloatVector c2 = Lanes.broadcast(0f);
        FloatVector d2 = Lanes.broadcast(0f);
        FloatVector a3 = Lanes.broadcast(0f);
        FloatVector b3 = Lanes.broadcast(0f);
        FloatVector c3 = Lanes.broadcast(0f);
        FloatVector d3 = Lanes.broadcast(0f);
        long second = at + stride;
        long third = at + 2 * stride;
        long fourth = at + 3 * stride;
        int xAt1 = xAt + xStride;
        int xAt2 = xAt + 2 * xStride;
        int xAt3 = xAt + 3 * xStride;
        for (int i = 0; i < steps; i++) {
            IntVector w0 = Lanes.load(w, at + (STEP_BYTES * i)).reinterpretAsInts();
            IntVector w1 = Lanes.load(w, second + (STEP_BYTES * i)).reinterpretAsInts();
            IntVector w2 = Lanes.load(w, third + (STEP_BYTES * i)).reinterpretAsInts();
            IntVector w3 = Lanes.load(w, fourth + (STEP_BYTES * i)).reinterpretAsInts();
            FloatVector even0 = FloatVector.fromArray(Lanes.FLOATS, x, xAt + 2 * WIDTH * i);
            FloatVector odd0 = FloatVector.fromArray(Lanes.FLOATS, x, xAt + 2 * WIDTH * i + WIDTH);
            a0 = odd0.fma(odd(w0), even0.fma(even(w0), a0));
            b0 = odd0.fma(odd(w1), even0.fma(even(w1), b0));
            c0 = odd0.fma(odd(w2), even0.fma(even(w2), c0));
            d0 = odd0.fma(odd(w3), even0.fma(even(w3), d0));
            FloatVector even1 = FloatVector.fromArray(Lanes.FLOATS, x, xAt1 + 2 * WIDTH * i);
            FloatVector odd1 = FloatVector.fromArray(Lanes.FLOATS, x, xAt1 + 2 * WIDTH * i + WIDTH);
            a1 = odd1.fma(odd(w0), even1.fma(even(w0), a1));
            b1 = odd1.fma(odd(w1), even1.fma(even(w1), b1));
            c1 = odd1.fma(odd(w2), even1.fma(even(w2), c1));
            d1 = odd1.fma(odd(w3), even1.fma(even(w3), d1));
            FloatVector even2 = FloatVector.fromArray(Lanes.FLOATS, x, xAt2 + 2 * WIDTH * i);
            FloatVector odd2 = FloatVector.fromArray(Lanes.FLOATS, x, xAt2 + 2 * WIDTH * i + WIDTH);
            a2 = odd2.fma(odd(w0), even2.fma(even(w0), a2));
            b2 = odd2.fma(odd(w1), even2.fma(even(w1), b2));
            c2 = odd2.fma(odd(w2), even2.fma(even(w2), c2));
            d2 = odd2.fma(odd(w3), even2.fma(even(w3), d2));
            FloatVector even3 = FloatVector.fromArray(Lanes.FLOATS, x, xAt3 + 2 * WIDTH * i);
            FloatVector odd3 = FloatVector.fromArray(Lanes.FLOATS, x, xAt3 + 2 * WIDTH * i + WIDTH);
            a3 = odd3.fma(odd(w0), even3.fma(even(w0), a3));
            b3 = odd3.fma(odd(w1), even3.fma(even(w1), b3));
            c3 = odd3.fma(odd(w2), even3.fma(even(w2), c3));
            d3 = odd3.fma(odd(w3), even3.fma(even(w3), d3));
        }
        a0.intoArray(sums, 0);
        b0.intoArray(sums, WIDTH);
        c0.intoArray(sums, 2 * WIDTH);
        d0.intoArray(sums, 3 * WIDTH);
        a1.intoArray(sums, 4 * WIDTH);
        b1.intoArray(sums, 5 * WIDTH);
        c1.intoArray(sums, 6 * WIDTH);
        d1.intoArray(sums, 7 * WIDTH);
        a2.intoArray(sums, 8 * WIDTH);
        b2.intoArray(sums, 9 * WIDTH);
        c2.intoArray(sums, 10 * WIDTH);
        d2.intoArray(sums, 11 * WIDTH);
        a3.intoArray(sums, 12 * WIDTH);
        b3.intoArray(sums, 13 * WIDTH);
        c3.intoArray(sums, 14 * WIDTH);
        d3.intoArray(sums, 15 * WIDTH);
    }

    /** {@code y += x}. */
    static void add(Object x, long at, float[] y, int yAt, int count) {
        int i = 0;
        for (; i <= count - WIDTH; i += WIDTH) {
            FloatVector.fromArray(Lanes.FLOATS, y, yAt + i)
                    .add(Lanes.load(x, at + (4 * i)))
                    .intoArray(y, yAt + i);
        }
        for (; i < count; i++) {
            y[yAt + i] += Lanes.get(x, at + 4L * i);
        }
    }

    /** {@code y = x}. */
    static void store(float[] x, int xAt, Object y, long at, int count) {
        int i = 0;
        for (; i <= count - WIDTH; i += WIDTH) {
            Lanes.store(FloatVector.fromArray(Lanes.FLOATS, x, xAt + i), y, at + (4 * i));
        }
        for (; i < count; i++) {
            Lanes.set(y, at + 4L * i, x[xAt + i]);
        }
    }
}
