package io.rlhf4j.tensor;

/**
 * Weights rounded to eight bits: a row of a weight [out, in], all that one output is made of, is a scale times whole numbers
 * from -127 to 127. The scale is the row's largest magnitude / 127, so that no weight moves by more than half of it.
 */
public final class Int8 {
    /** The largest whole number. */
    public static final int LARGEST = 127;

    /** Its products with powers of two that a backend may keep it as are still normal numbers. */
    private static final float SMALLEST_SCALE = 0x1p-100f;

    /** To this is added what shall be rounded: the sum has no bits left for fractions, and ties go to the even number. */
    public static final float ROUNDING = 0x1.8p23f;

    private Int8() {}

    /**
     * The scale of a row.
     *
     * @param largest magnitude in it, NaN where one weight is
     * @return 1 where nothing but zeros, or next to them, are there; NaN or infinite where the largest is
     */
    public static float scale(float largest) {
        float scale = largest / LARGEST;
        return scale < SMALLEST_SCALE ? 1f : scale;
    }

    /** The larger magnitude, as the bits of a positive number; those of NaN are larger than any. */
    public static int larger(int magnitude, float weight) {
        return Math.max(magnitude, Float.floatToRawIntBits(weight) & 0x7fffffff);
    }

    /** The whole number for a weight in its lowest eight bits; the others mean nothing. */
    public static int bits(float weight, float scale) {
        return Float.floatToRawIntBits(weight / scale + ROUNDING);
    }

    /** Rounds rows of {@code columns} weights in place. */
    public static void round(float[] weights, int columns) {
        for (int row = 0; row < weights.length; row += columns) {
            int largest = 0;
            for (int i = row; i < row + columns; i++) {
                largest = larger(largest, weights[i]);
            }
            float scale = scale(Float.intBitsToFloat(largest));
            for (int i = row; i < row + columns; i++) {
                weights[i] = (byte) bits(weights[i], scale) * scale;
            }
        }
    }
}
