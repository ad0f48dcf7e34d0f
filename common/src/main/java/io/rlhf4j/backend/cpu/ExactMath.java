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
    private static final FloatVector ONE = Lanes.broadcast(1f);
    private static final FloatVector TWO = Lanes.broadcast(2f);
    private static final FloatVector ZERO = Lanes.broadcast(0f);

    private static final FloatVector LOG2_E = Lanes.broadcast(1.44269504f);
    private static final FloatVector MINUS_LN2_HIGH = Lanes.broadcast(-0.693359375f);
    private static final FloatVector MINUS_LN2_LOW = Lanes.broadcast(2.12194440e-4f);
    /** 1.5 * 2^23: added to a small number it leaves the nearest whole number in the low bits. */
    private static final FloatVector ROUNDER = Lanes.broadcast(12582912f);

    private static final FloatVector EXP_LOWEST = Lanes.broadcast(-87f);
    private static final FloatVector EXP_HIGHEST = Lanes.broadcast(88f);
    private static final FloatVector EXP_2 = Lanes.broadcast(5.0000001201e-1f);
    private static final FloatVector EXP_3 = Lanes.broadcast(1.6666665459e-1f);
    private static final FloatVector EXP_4 = Lanes.broadcast(4.1665795894e-2f);
    private static final FloatVector EXP_5 = Lanes.broadcast(8.3334519073e-3f);
    private static final FloatVector EXP_6 = Lanes.broadcast(1.3981999507e-3f);
    private static final FloatVector EXP_7 = Lanes.broadcast(1.9875691500e-4f);

    private static final FloatVector TANH_3 = Lanes.broadcast(-3.33332819422e-1f);
    private static final FloatVector TANH_5 = Lanes.broadcast(1.33314422036e-1f);
    private static final FloatVector TANH_7 = Lanes.broadcast(-5.37397155531e-2f);
    private static final FloatVector TANH_9 = Lanes.broadcast(2.06390887954e-2f);
    private static final FloatVector TANH_11 = Lanes.broadcast(-5.70498872745e-3f);
    /** The square of the size below which tanh is its polynomial. */
    private static final FloatVector TANH_SPLIT = Lanes.broadcast(0.390625f);

    /** Where the tail of the normal distribution counts as that of 6: 1e-9. */
    private static final FloatVector TAIL_END = Lanes.broadcast(6f);

    private static final FloatVector TAIL_0 = Lanes.broadcast(-6.931471806e-01f);
    private static final FloatVector TAIL_1 = Lanes.broadcast(-7.978850603e-01f);
    private static final FloatVector TAIL_2 = Lanes.broadcast(-3.183026016e-01f);
    private static final FloatVector TAIL_3 = Lanes.broadcast(-3.636961058e-02f);
    private static final FloatVector TAIL_4 = Lanes.broadcast(4.855679814e-03f);
    private static final FloatVector TAIL_5 = Lanes.broadcast(-4.656515375e-05f);
    private static final FloatVector TAIL_6 = Lanes.broadcast(-1.617778325e-04f);
    private static final FloatVector TAIL_7 = Lanes.broadcast(3.975984873e-05f);
    private static final FloatVector TAIL_8 = Lanes.broadcast(-4.445178547e-06f);
    private static final FloatVector TAIL_9 = Lanes.broadcast(1.996460668e-07f);

    private ExactMath() {}

    /**
     * e^x with a relative error under 2e-7: 0 below -87, e^88 above 88; not a number stays so. Range reduction by Cody and
     * Waite, polynomial of Moshier's Cephes library.
     */
    static FloatVector exp(FloatVector argument) {
        FloatVector x = argument.blend(EXP_HIGHEST, argument.compare(VectorOperators.GT, EXP_HIGHEST));
        return expBounded(x);
    }

    /** {@link #exp} of arguments that are never above 88. */
    static FloatVector expBounded(FloatVector x) {
        FloatVector shifted = x.fma(LOG2_E, ROUNDER);
        FloatVector whole = shifted.sub(ROUNDER);
        FloatVector rest = whole.fma(MINUS_LN2_LOW, whole.fma(MINUS_LN2_HIGH, x));
        FloatVector p = rest.fma(EXP_7, EXP_6).fma(rest, EXP_5).fma(rest, EXP_4);
        p = p.fma(rest, EXP_3).fma(rest, EXP_2);
        p = p.fma(rest.mul(rest), rest).add(ONE);
        // The whole part of x / ln 2 goes straight into the exponent.
        IntVector exponent = shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
        FloatVector result = p.reinterpretAsInts().add(exponent).reinterpretAsFloats();
        FloatVector cut = result.blend(ZERO, x.compare(VectorOperators.LT, EXP_LOWEST));
        return cut.blend(x, x.compare(VectorOperators.NE, x));
    }

    /** 1 / (1 + e^-x). */
    static FloatVector sigmoid(FloatVector x) {
        return ONE.div(exp(x.neg()).add(ONE));
    }

    /** tanh x: a polynomial near 0, where 1 - 2 / (e^2x + 1) would lose digits. */
    static FloatVector tanh(FloatVector x) {
        FloatVector square = x.mul(x);
        FloatVector p = square.fma(TANH_11, TANH_9)
                .fma(square, TANH_7)
                .fma(square, TANH_5)
                .fma(square, TANH_3);
        FloatVector small = p.mul(square).fma(x, x);
        FloatVector large = ONE.sub(TWO.div(exp(x.add(x)).add(ONE)));
        VectorMask<Float> near = square.compare(VectorOperators.LT, TANH_SPLIT);
        return large.blend(small, near);
    }

    /**
     * Phi(x), the share of the normal distribution below x, with an absolute error under 1e-7: its lower tail is the
     * exponential of a polynomial, fitted to log Phi at Chebyshev nodes.
     */
    static FloatVector normalShare(FloatVector x) {
        FloatVector size = x.abs();
        FloatVector t = size.blend(TAIL_END, size.compare(VectorOperators.GT, TAIL_END));
        FloatVector log = t.fma(TAIL_9, TAIL_8).fma(t, TAIL_7).fma(t, TAIL_6).fma(t, TAIL_5);
        log = log.fma(t, TAIL_4).fma(t, TAIL_3).fma(t, TAIL_2).fma(t, TAIL_1).fma(t, TAIL_0);
        FloatVector tail = expBounded(log);
        return tail.blend(ONE.sub(tail), x.compare(VectorOperators.GT, ZERO));
    }
}
