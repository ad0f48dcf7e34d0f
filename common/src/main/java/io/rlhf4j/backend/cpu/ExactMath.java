package io.rlhf4j.backend.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * Elementary functions made of operations that IEEE 754 defines exactly. The Vector API's own EXP, TANH and LOG give other
 * bits compiled than interpreted.
 */
final class ExactMath {
    private static final float LOG2_E = 1.44269504f;
    private static final float LN2_HIGH = 0.693359375f;
    private static final float LN2_LOW = -2.12194440e-4f;
    /** 1.5 * 2^23: added to a small number it leaves the nearest whole number in the low bits. */
    private static final float ROUNDER = 12582912f;

    private static final float EXP_LOWEST = -87f;
    private static final float EXP_HIGHEST = 88f;

    /** Below it erf is an odd polynomial, above 1 - exp(polynomial). */
    private static final float ERF_SPLIT = 0.875f;

    private static final float ERF_SATURATED = 4.05f;

    private ExactMath() {}

    /**
     * e^x with a relative error under 2e-7: 0 below -87, e^88 above 88; not a number stays so. Range reduction by Cody and
     * Waite, polynomial of Moshier's Cephes library.
     */
    static FloatVector exp(FloatVector argument) {
        FloatVector x = argument.blend(EXP_HIGHEST, argument.compare(VectorOperators.GT, EXP_HIGHEST));
        FloatVector shifted = x.fma(Lanes.broadcast(LOG2_E), Lanes.broadcast(ROUNDER));
        FloatVector whole = shifted.sub(ROUNDER);
        FloatVector rest = whole.fma(Lanes.broadcast(-LN2_HIGH), x);
        rest = whole.fma(Lanes.broadcast(-LN2_LOW), rest);
        FloatVector p = rest.fma(Lanes.broadcast(1.9875691500e-4f), Lanes.broadcast(1.3981999507e-3f));
        p = p.fma(rest, Lanes.broadcast(8.3334519073e-3f));
        p = p.fma(rest, Lanes.broadcast(4.1665795894e-2f));
        p = p.fma(rest, Lanes.broadcast(1.6666665459e-1f));
        p = p.fma(rest, Lanes.broadcast(5.0000001201e-1f));
        p = p.fma(rest.mul(rest), rest).add(1f);
        // The whole part of x / ln 2 goes straight into the exponent.
        IntVector exponent = shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
        FloatVector result = p.reinterpretAsInts().add(exponent).reinterpretAsFloats();
        FloatVector cut = result.blend(0f, argument.compare(VectorOperators.LT, EXP_LOWEST));
        return cut.blend(argument, argument.compare(VectorOperators.NE, argument));
    }

    /** 1 / (1 + e^-x). */
    static FloatVector sigmoid(FloatVector x) {
        return Lanes.broadcast(1f).div(exp(x.neg()).add(1f));
    }

    /** tanh x: a polynomial near 0, where 1 - 2 / (e^2x + 1) would lose digits. */
    static FloatVector tanh(FloatVector x) {
        FloatVector square = x.mul(x);
        FloatVector p = square.fma(Lanes.broadcast(-5.70498872745e-3f), Lanes.broadcast(2.06390887954e-2f));
        p = p.fma(square, Lanes.broadcast(-5.37397155531e-2f));
        p = p.fma(square, Lanes.broadcast(1.33314422036e-1f));
        p = p.fma(square, Lanes.broadcast(-3.33332819422e-1f));
        FloatVector small = p.mul(square).fma(x, x);
        FloatVector large =
                Lanes.broadcast(1f).sub(Lanes.broadcast(2f).div(exp(x.add(x)).add(1f)));
        VectorMask<Float> near = square.compare(VectorOperators.LT, 0.390625f);
        return large.blend(small, near);
    }

    /** The error function, with an absolute error under 2e-7 (polynomials fitted to 40 digits at Chebyshev nodes). */
    static FloatVector erf(FloatVector x) {
        FloatVector square = x.mul(x);
        FloatVector p = square.fma(Lanes.broadcast(8.534120570e-05f), Lanes.broadcast(-8.180781151e-04f));
        p = p.fma(square, Lanes.broadcast(5.204331595e-03f));
        p = p.fma(square, Lanes.broadcast(-2.686070837e-02f));
        p = p.fma(square, Lanes.broadcast(1.128371879e-01f));
        p = p.fma(square, Lanes.broadcast(-3.761263490e-01f));
        p = p.fma(square, Lanes.broadcast(1.128379226e+00f));
        FloatVector small = p.mul(x);
        FloatVector size = x.blend(x.neg(), x.compare(VectorOperators.LT, 0f));
        VectorMask<Float> near = size.compare(VectorOperators.LT, ERF_SPLIT);
        size = size.blend(ERF_SATURATED, size.compare(VectorOperators.GT, ERF_SATURATED));
        FloatVector large = Lanes.broadcast(1f).sub(exp(erfExponent(size)));
        large = large.blend(large.neg(), x.compare(VectorOperators.LT, 0f));
        return large.blend(small, near);
    }

    /** log(1 - erf(size)) for sizes from {@link #ERF_SPLIT} on. */
    private static FloatVector erfExponent(FloatVector size) {
        FloatVector q = size.fma(Lanes.broadcast(-3.370404613e-07f), Lanes.broadcast(5.744236660e-06f));
        q = q.fma(size, Lanes.broadcast(-2.385914377e-05f));
        q = q.fma(size, Lanes.broadcast(-2.216663852e-04f));
        q = q.fma(size, Lanes.broadcast(3.505807836e-03f));
        q = q.fma(size, Lanes.broadcast(-2.371986583e-02f));
        q = q.fma(size, Lanes.broadcast(1.063354388e-01f));
        q = q.fma(size, Lanes.broadcast(6.350420117e-01f));
        q = q.fma(size, Lanes.broadcast(1.128682137e+00f));
        return q.mul(size).neg();
    }
}
