package io.rlhf4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class Int8Test {
    @Test
    void noWeightMovesByMoreThanHalfItsRowsScaleAndTheLargestStays() {
        SplittableRandom random = new SplittableRandom(3);
        int columns = 1000;
        float[] weights = new float[3 * columns];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = (float) ((random.nextDouble() - 0.5) * Math.pow(10, i / columns));
        }
        float[] rounded = weights.clone();
        Int8.round(rounded, columns);
        for (int row = 0; row < 3; row++) {
            float largest = 0;
            for (int i = row * columns; i < (row + 1) * columns; i++) {
                largest = Math.max(largest, Math.abs(weights[i]));
            }
            float scale = Int8.scale(largest);
            assertThat(scale).isEqualTo(largest / 127);
            for (int i = row * columns; i < (row + 1) * columns; i++) {
                // A little more than half, for the rounding of the product of number and scale.
                assertThat((double) rounded[i]).isCloseTo(weights[i], within(0.500_01 * scale));
                assertThat(Math.abs(rounded[i])).isLessThanOrEqualTo(127 * scale);
                if (Math.abs(weights[i]) == largest) {
                    assertThat(rounded[i]).isEqualTo(Math.signum(weights[i]) * 127 * scale);
                }
            }
        }
    }

    @Test
    void numbersThatAreWholeTimesTheScaleStayAndTiesGoToTheEvenOne() {
        float[] weights = {127, -127, 0, 1, -2, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, 126.5f};
        Int8.round(weights, weights.length);
        assertThat(weights).containsExactly(127, -127, 0, 1, -2, 0, 2, 2, 0, -2, -2, 126);
    }

    @Test
    void eachRowHasItsOwnScale() {
        float[] weights = {1, 0.5f, 1000, 500};
        Int8.round(weights, 2);
        float one = 1f / 127;
        float thousand = 1000f / 127;
        assertThat(weights).containsExactly(127 * one, 64 * one, 127 * thousand, 64 * thousand);
    }

    @Test
    void aRowOfZerosStaysOneAndSoDoesOneNextToThem() {
        assertThat(Int8.scale(0)).isEqualTo(1);
        float[] weights = {0, -0f, 0, Float.MIN_VALUE, -Float.MIN_VALUE, 200 * Float.MIN_VALUE};
        Int8.round(weights, 3);
        assertThat(weights).containsOnly(0f);
    }

    @Test
    void aWeightThatIsNoNumberShowsInItsRow() {
        float[] weights = {1, Float.NaN, 3, 1, 2, Float.POSITIVE_INFINITY, 1, 2, 127};
        Int8.round(weights, 3);
        assertThat(weights[1]).isNaN();
        assertThat(weights[0]).isNaN();
        assertThat(Float.isFinite(weights[5])).isFalse();
        assertThat(weights).endsWith(1, 2, 127);
    }
}
