package io.rlhf4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * How far a backend's fp32 arithmetic may be from the double-precision reference. An element's error is held against
 * its own size and against the root mean square of the whole result (0.1 at least), because a sum that cancels, even to
 * zero, keeps the rounding errors of its terms, which are of size 1 in these tests.
 *
 * @param relative part of the element's size
 * @param ofScale part of the result's root mean square
 */
record Tolerance(double relative, double ofScale) {
    /**
     * fp32 rounds to 6e-8. The tests add up at most some 2,000 terms, in an order of the backend's choice, and pass
     * through one or two elementary functions of about 1e-7 each: 1e-5 leaves a factor of ten over what that gives.
     */
    static final Tolerance FP32 = new Tolerance(1e-5, 1e-5);

    /**
     * bf16 rounds to 2^-9 = 0.002. A result is rounded once, and a backend may keep one intermediate in bf16 (attention
     * probabilities, gradients of logits, an output that its backward reads again), whose errors enter a sum of terms
     * that are larger than the result: twice one rounding of the element, eight times one of the scale.
     */
    static final Tolerance BF16 = new Tolerance(1.0 / 256, 1.0 / 64);

    /** The tolerance of a result that depends on tensors of this type. */
    static Tolerance of(DType type) {
        return switch (type) {
            case FP32 -> FP32;
            case BF16 -> BF16;
        };
    }

    void check(String what, Tensor actual, double[] expected) {
        check(what, Workbench.values(actual), expected);
    }

    void check(String what, float[] actual, double[] expected) {
        check(what, Workbench.doubles(actual), expected);
    }

    private void check(String what, double[] actual, double[] expected) {
        assertThat(actual.length).as(what).isEqualTo(expected.length);
        double squares = 0;
        for (double value : expected) {
            squares += value * value;
        }
        double scale = Math.max(0.1, Math.sqrt(squares / Math.max(1, expected.length)));
        for (int i = 0; i < expected.length; i++) {
            double allowed = relative * Math.abs(expected[i]) + ofScale * scale;
            if (!(Math.abs(actual[i] - expected[i]) <= allowed)) {
                throw new AssertionError("%s: element %d of %d is %.9g, expected %.9g +- %.3g"
                        .formatted(what, i, expected.length, actual[i], expected[i], allowed));
            }
        }
    }
}
