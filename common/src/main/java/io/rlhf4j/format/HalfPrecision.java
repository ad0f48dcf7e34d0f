package io.rlhf4j.format;

/** IEEE 754 binary16 and bfloat16 to and from fp32; Java 17 has neither. Rounding is to nearest, ties to even. */
final class HalfPrecision {
    private static final float TWO_TO_112 = 0x1p112f;
    private static final int FP32_INFINITY = 0x7f800000;

    private HalfPrecision() {}

    static float bf16ToFloat(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    static short floatToBf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if ((bits & 0x7fffffff) > FP32_INFINITY) {
            return (short) ((bits >>> 16) | 0x40); // stays a NaN, quiet
        }
        return (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
    }

    static float fp16ToFloat(short bits) {
        int sign = (bits & 0x8000) << 16;
        int magnitude = (bits & 0x7fff) << 13;
        if (magnitude >= 0x1f << 23) {
            return Float.intBitsToFloat(sign | magnitude | FP32_INFINITY);
        }
        // The exponents' biases differ by 112; multiplying, not adding to the exponent, makes subnormals come out right
        // too.
        return Float.intBitsToFloat(sign | Float.floatToRawIntBits(Float.intBitsToFloat(magnitude) * TWO_TO_112));
    }

    static short floatToFp16(float value) {
        int bits = Float.floatToRawIntBits(value);
        int sign = (bits >>> 16) & 0x8000;
        int magnitude = bits & 0x7fffffff;
        if (magnitude > FP32_INFINITY) {
            return (short) (sign | 0x7e00);
        }
        if (magnitude >= 0x477ff000) { // 65520 and above round to infinity
            return (short) (sign | 0x7c00);
        }
        if (magnitude < 0x38800000) { // below 2^-14: adding 0.5 leaves the subnormal's bits, rounded, at the end
            int rounded = Float.floatToRawIntBits(Float.intBitsToFloat(magnitude) + 0.5f) - 0x3f000000;
            return (short) (sign | rounded);
        }
        int rounded = magnitude - (112 << 23) + 0xfff + ((magnitude >>> 13) & 1);
        return (short) (sign | (rounded >>> 13));
    }
}
