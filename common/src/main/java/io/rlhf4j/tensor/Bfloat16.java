package io.rlhf4j.tensor;

/** bfloat16 to and from fp32, with the bits that every backend gives. */
public final class Bfloat16 {
    private static final short NOT_A_NUMBER = (short) 0x7fc0;

    private Bfloat16() {}

    /** The same number: widening is exact. */
    public static float widen(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    /** The nearest bfloat16, ties to even. Every NaN becomes the same one. */
    public static short narrow(float value) {
        int bits = Float.floatToRawIntBits(value);
        short nearest = (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
        return Float.isNaN(value) ? NOT_A_NUMBER : nearest;
    }

    /** The nearest number that a bfloat16 can hold. */
    public static float round(float value) {
        return widen(narrow(value));
    }
}
