package io.rlhf4j.hub;

import static org.assertj.core.api.Assertions.assertThat;

/** The tolerances of the reference fixtures. */
final class GoldenAssertions {
    private GoldenAssertions() {}

    static void assertWithin(double tolerance, float[] actual, float[] expected, String what) {
        assertThat(actual).as(what).hasSameSizeAs(expected);
        double worst = 0;
        for (int i = 0; i < actual.length; i++) {
            double difference = Math.abs((double) actual[i] - expected[i]);
            worst = Double.isNaN(difference) ? Double.POSITIVE_INFINITY : Math.max(worst, difference);
        }
        assertThat(worst).as("largest difference of " + what).isLessThanOrEqualTo(tolerance);
    }

    /** 1e-4 of the tensor's largest entry, plus 1e-6. */
    static void assertGradient(float[] actual, float[] expected, String what) {
        double largest = 0;
        for (float value : expected) {
            largest = Math.max(largest, Math.abs(value));
        }
        assertWithin(1e-4 * largest + 1e-6, actual, expected, "gradient of " + what);
    }

    static void assertRelative(double tolerance, double actual, double expected, String what) {
        assertThat(Math.abs(actual - expected) / Math.max(1e-12, Math.abs(expected)))
                .as("%s: %s, expected %s", what, actual, expected)
                .isLessThanOrEqualTo(tolerance);
    }
}
