package io.rlhf4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What an optimizer step needs: the gradient's norm, and AdamW. */
interface OptimizerConformance extends Conformance {
    @ParameterizedTest
    @EnumSource(DType.class)
    default void squaresAreSummedInDoublePrecision(DType type) {
        for (int length : new int[] {1, 7, 16, 33, 1000, 70001}) {
            try (Workbench bench = open()) {
                Tensor x = bench.normal(type, length);
                double[] wide = Workbench.values(x);
                double expected = Reference.dot(wide, wide);
                // only the squares themselves may be rounded to fp32: 6e-8 each
                assertThat(backend().sumOfSquares(x)).isCloseTo(expected, within(1e-6 * expected));
            }
        }
    }

    /** 1e30 squared overflows fp32; a norm of that size has to be seen, and clipped. */
    @Test
    default void squaresBeyondFp32AreFinite() {
        try (Workbench bench = open()) {
            Tensor x = bench.of(DType.FP32, new float[] {1e30f, 3f, -1e30f}, 3);
            assertThat(backend().sumOfSquares(x)).isCloseTo(2e60, within(1e54));
        }
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    default void anElementThatIsNotFiniteShowsInTheSumOfSquares(DType type) {
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            for (int place : new int[] {0, 50, 99}) {
                try (Workbench bench = open()) {
                    Tensor x = bench.normal(type, 100);
                    backend().fill(x.slice(place, place + 1), bad);
                    assertThat(Double.isFinite(backend().sumOfSquares(x))).isFalse();
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    default void adamWFollowsTheFormulaOverManySteps(DType gradientType) {
        for (int length : ODD_LENGTHS) {
            try (Workbench bench = open()) {
                Tensor parameter = bench.normal(DType.FP32, length);
                Tensor moment1 = bench.of(DType.FP32, new float[length], length);
                Tensor moment2 = bench.of(DType.FP32, new float[length], length);
                double[] p = Workbench.values(parameter);
                double[] m = new double[length];
                double[] v = new double[length];
                for (int step = 1; step <= 20; step++) {
                    Tensor gradient = bench.normal(gradientType, length);
                    AdamWSettings settings =
                            new AdamWSettings(1e-2 / step, 0.9, 0.95, 1e-8, step % 2 == 0 ? 0.1 : 0, step, 0.5);
                    adamW(settings, p, Workbench.values(gradient), m, v);
                    backend().adamW(settings, parameter, gradient, moment1, moment2);
                }
                Tolerance.FP32.check("first moment", moment1, m);
                Tolerance.FP32.check("second moment", moment2, v);
                Tolerance.FP32.check("parameter", parameter, p);
            }
        }
    }

    /** Moments far apart in size, as they are between embeddings and norms, and a gradient of exactly zero. */
    @Test
    default void adamWKeepsItsDigitsForTinyGradients() {
        try (Workbench bench = open()) {
            float[] gradients = {1e-12f, -1e-8f, 1e-4f, 0f, 1e4f};
            Tensor gradient = bench.of(DType.FP32, gradients, 5);
            Tensor parameter = bench.of(DType.FP32, new float[5], 5);
            Tensor moment1 = bench.of(DType.FP32, new float[5], 5);
            Tensor moment2 = bench.of(DType.FP32, new float[5], 5);
            double[] p = new double[5];
            double[] m = new double[5];
            double[] v = new double[5];
            AdamWSettings settings = new AdamWSettings(1, 0.9, 0.999, 1e-8, 0, 1, 1);
            adamW(settings, p, Workbench.doubles(gradients), m, v);
            backend().adamW(settings, parameter, gradient, moment1, moment2);
            float[] actual = parameter.toFloats();
            for (int i = 0; i < 5; i++) {
                assertThat((double) actual[i]).isCloseTo(p[i], within(2e-5 * Math.abs(p[i]) + 1e-30));
            }
        }
    }

    private static void adamW(AdamWSettings settings, double[] p, double[] g, double[] m, double[] v) {
        double correction1 = 1 - Math.pow(settings.beta1(), settings.step());
        double correction2 = 1 - Math.pow(settings.beta2(), settings.step());
        for (int i = 0; i < p.length; i++) {
            double gradient = g[i] * settings.gradientScale();
            p[i] -= settings.learningRate() * settings.weightDecay() * p[i];
            m[i] = settings.beta1() * m[i] + (1 - settings.beta1()) * gradient;
            v[i] = settings.beta2() * v[i] + (1 - settings.beta2()) * gradient * gradient;
            p[i] -= settings.learningRate()
                    * (m[i] / correction1)
                    / (Math.sqrt(v[i] / correction2) + settings.epsilon());
        }
    }

    @Test
    default void momentsOfAnotherLengthAreRefused() {
        try (Workbench bench = open()) {
            Tensor parameter = bench.normal(DType.FP32, 8);
            Tensor moment = bench.normal(DType.FP32, 7);
            AdamWSettings settings = new AdamWSettings(1e-3, 0.9, 0.95, 1e-8, 0, 1, 1);
            assertThatThrownBy(() -> backend().adamW(settings, parameter, parameter, parameter, moment))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("[7]");
        }
    }
}
