package io.rlhf4j.format;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class HalfPrecisionTest {
    @Test
    void everyBinary16NumberHasItsValueAndComesBack() {
        for (int bits = 0; bits <= 0xffff; bits++) {
            float value = HalfPrecision.fp16ToFloat((short) bits);
            int exponent = (bits >> 10) & 0x1f;
            int fraction = bits & 0x3ff;
            double sign = (bits & 0x8000) == 0 ? 1 : -1;
            if (exponent == 31) {
                assertThat(Float.isNaN(value)).isEqualTo(fraction != 0);
                assertThat(Float.isInfinite(value)).isEqualTo(fraction == 0);
            } else {
                double expected =
                        exponent == 0 ? fraction * 0x1p-24 : (1024 + fraction) * Math.scalb(1.0, exponent - 25);
                assertThat((double) value).isEqualTo(sign * expected);
            }
            if (!Float.isNaN(value)) {
                assertThat(HalfPrecision.floatToFp16(value)).isEqualTo((short) bits);
            } else {
                assertThat(HalfPrecision.fp16ToFloat(HalfPrecision.floatToFp16(value)))
                        .isNaN();
            }
        }
    }

    @Test
    void roundingIsToTheNearestAndTiesGoToEven() {
        SplittableRandom random = new SplittableRandom(5);
        for (int i = 0; i < 200_000; i++) {
            float value = Float.intBitsToFloat(random.nextInt());
            if (!Float.isFinite(value)) {
                continue;
            }
            assertNearest(value, HalfPrecision.fp16ToFloat(HalfPrecision.floatToFp16(value)), true);
            assertNearest(value, HalfPrecision.bf16ToFloat(HalfPrecision.floatToBf16(value)), false);
            float small =
                    value == 0 ? 0 : (float) Math.scalb(value, -Math.getExponent(value) + random.nextInt(-26, 17));
            assertNearest(small, HalfPrecision.fp16ToFloat(HalfPrecision.floatToFp16(small)), true);
        }
        assertThat(HalfPrecision.floatToBf16(Float.intBitsToFloat(0x3f808000))).isEqualTo((short) 0x3f80);
        assertThat(HalfPrecision.floatToBf16(Float.intBitsToFloat(0x3f818000))).isEqualTo((short) 0x3f82);
        assertThat(HalfPrecision.bf16ToFloat(HalfPrecision.floatToBf16(Float.intBitsToFloat(0x7f800001))))
                .isNaN();
        assertThat(HalfPrecision.fp16ToFloat(HalfPrecision.floatToFp16(65519.996f)))
                .isEqualTo(65504f);
        assertThat(HalfPrecision.fp16ToFloat(HalfPrecision.floatToFp16(65520f))).isEqualTo(Float.POSITIVE_INFINITY);
    }

    /** No neighbour of the rounded number is nearer. */
    private static void assertNearest(float value, float rounded, boolean half) {
        if (Float.isInfinite(rounded)) {
            assertThat(Math.abs(value)).isGreaterThanOrEqualTo(half ? 65520f : Float.intBitsToFloat(0x7f7f8000));
            return;
        }
        double ulp = half
                ? Math.scalb(1.0, Math.max(Math.getExponent(rounded), -14) - 10)
                : Math.scalb(1.0, Math.max(Math.getExponent(rounded), -126) - 7);
        assertThat(Math.abs((double) value - rounded)).isLessThanOrEqualTo(ulp / 2);
    }
}
