package io.rlhf4j.tensor;

/** bfloat16 as the kit expects it. */
final class Bf16 {
    private Bf16() {}

    /** The nearest bf16, ties to the even one; NaN stays NaN. */
    static float round(float value) {
        if (Float.isNaN(value)) {
            return value;
        }
        int bits = Float.floatToRawIntBits(value);
        return Float.intBitsToFloat((bits + 0x7FFF + ((bits >>> 16) & 1)) & 0xFFFF0000);
    }
}
