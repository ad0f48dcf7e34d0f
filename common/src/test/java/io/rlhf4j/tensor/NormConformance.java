package io.rlhf4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Layer norm and RMS norm. Parameter gradients are added to, in fp32 or in the parameter's type. */
interface NormConformance extends Conformance {
    int[][] NORM_SHAPES = {{1, 16}, {1, 1}, {5, 37}, {33, 8}, {3, 100}};
    float EPSILON = 1e-3f;

    @ParameterizedTest
    @EnumSource(DType.class)
    default void layerNormForwardAndBackward(DType type) {
        for (int[] shape : NORM_SHAPES) {
            for (DType gradientType : DType.values()) {
                try (Workbench bench = open()) {
                    int columns = shape[1];
                    Tensor x = shifted(bench, type, shape);
                    Tensor weight = bench.normal(type, columns);
                    Tensor bias = bench.normal(type, columns);
                    Tensor out = bench.output(type, shape);
                    Tensor statistics = bench.output(DType.FP32, shape[0], 2);
                    double[] wideX = Workbench.values(x);
                    double[] wideWeight = Workbench.values(weight);
                    double[] wideBias = Workbench.values(bias);
                    backend().layerNorm(x, weight, bias, EPSILON, out, statistics);
                    Tolerance.of(type)
                            .check("layer norm " + x, out, Reference.layerNorm(wideX, wideWeight, wideBias, EPSILON));

                    Tensor dy = bench.normal(type, shape);
                    Tensor dx = bench.output(type, shape);
                    Tensor dWeight = bench.normal(gradientType, columns);
                    Tensor dBias = bench.normal(gradientType, columns);
                    double[] wideDy = Workbench.values(dy);
                    double[] expectedWeight = Reference.sum(
                            Workbench.values(dWeight),
                            Reference.gradient(
                                    wideWeight,
                                    at -> Reference.dot(wideDy, Reference.layerNorm(wideX, at, wideBias, EPSILON))));
                    double[] expectedBias = Workbench.values(dBias);
                    for (int i = 0; i < wideDy.length; i++) {
                        expectedBias[i % columns] += wideDy[i];
                    }
                    double[] expectedX = Reference.gradient(
                            wideX, at -> Reference.dot(wideDy, Reference.layerNorm(at, wideWeight, wideBias, EPSILON)));
                    backend().layerNormBackward(dy, x, weight, statistics, dx, dWeight, dBias);
                    Tolerance.of(type).check("layer norm dx " + x, dx, expectedX);
                    Tolerance.of(gradientType).check("layer norm dWeight " + dWeight, dWeight, expectedWeight);
                    Tolerance.of(gradientType).check("layer norm dBias " + dBias, dBias, expectedBias);

                    Tensor frozen = bench.output(type, shape);
                    backend().layerNormBackward(dy, x, weight, statistics, frozen, null, null);
                    assertThat(frozen.toFloats()).as("dx of a frozen norm").containsExactly(dx.toFloats());
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    default void rmsNormForwardAndBackward(DType type) {
        for (int[] shape : NORM_SHAPES) {
            for (float offset : new float[] {0f, 1f}) {
                for (DType gradientType : DType.values()) {
                    try (Workbench bench = open()) {
                        Tensor x = shifted(bench, type, shape);
                        Tensor weight = bench.normal(type, shape[1]);
                        Tensor out = bench.output(type, shape);
                        Tensor statistics = bench.output(DType.FP32, shape[0], 1);
                        double[] wideX = Workbench.values(x);
                        double[] wideWeight = Workbench.values(weight);
                        backend().rmsNorm(x, weight, offset, EPSILON, out, statistics);
                        Tolerance.of(type)
                                .check("RMS norm " + x, out, Reference.rmsNorm(wideX, wideWeight, offset, EPSILON));

                        Tensor dy = bench.normal(type, shape);
                        Tensor dx = bench.output(type, shape);
                        Tensor dWeight = bench.normal(gradientType, shape[1]);
                        double[] wideDy = Workbench.values(dy);
                        double[] expectedWeight = Reference.sum(
                                Workbench.values(dWeight),
                                Reference.gradient(
                                        wideWeight,
                                        at -> Reference.dot(wideDy, Reference.rmsNorm(wideX, at, offset, EPSILON))));
                        double[] expectedX = Reference.gradient(
                                wideX, at -> Reference.dot(wideDy, Reference.rmsNorm(at, wideWeight, offset, EPSILON)));
                        backend().rmsNormBackward(dy, x, weight, offset, statistics, dx, dWeight);
                        Tolerance.of(type).check("RMS norm dx " + x, dx, expectedX);
                        Tolerance.of(gradientType).check("RMS norm dWeight " + dWeight, dWeight, expectedWeight);

                        Tensor frozen = bench.output(type, shape);
                        backend().rmsNormBackward(dy, x, weight, offset, statistics, frozen, null);
                        assertThat(frozen.toFloats()).as("dx of a frozen norm").containsExactly(dx.toFloats());
                    }
                }
            }
        }
    }

    /** A mean far from zero: a variance taken as the mean of squares less the squared mean would lose digits. */
    @Test
    default void layerNormKeepsItsDigitsFarFromZero() {
        try (Workbench bench = open()) {
            float[] values = bench.normals(4 * 64);
            for (int i = 0; i < values.length; i++) {
                values[i] += 1000;
            }
            Tensor x = bench.of(DType.FP32, values, 4, 64);
            Tensor weight = bench.normal(DType.FP32, 64);
            Tensor bias = bench.normal(DType.FP32, 64);
            Tensor out = bench.output(DType.FP32, 4, 64);
            backend().layerNorm(x, weight, bias, 1e-5f, out, bench.output(DType.FP32, 4, 2));
            // summing 64 numbers near 1000 in fp32 leaves an error of some 1e-4 in their mean; the careless way, one of
            // 0.1 in the variance
            new Tolerance(2e-3, 2e-3)
                    .check(
                            "layer norm far from zero",
                            out,
                            Reference.layerNorm(
                                    Workbench.doubles(values),
                                    Workbench.values(weight),
                                    Workbench.values(bias),
                                    1e-5f));
        }
    }

    private static Tensor shifted(Workbench bench, DType type, int... shape) {
        float[] values = bench.normals(shape[0] * shape[1]);
        for (int i = 0; i < values.length; i++) {
            values[i] = 0.5f + (1 + i / shape[1] % 3) * values[i];
        }
        return bench.of(type, values, shape);
    }

    @Test
    default void normsThatDoNotFitAreRefused() {
        try (Workbench bench = open()) {
            Tensor x = bench.normal(DType.FP32, 3, 8);
            Tensor weight = bench.normal(DType.FP32, 7);
            Tensor statistics = bench.output(DType.FP32, 3, 2);
            assertThatThrownBy(() -> backend().layerNorm(x, weight, weight, EPSILON, x, statistics))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("[7]");
            assertThatThrownBy(() -> backend()
                            .rmsNorm(
                                    x,
                                    weight,
                                    0f,
                                    EPSILON,
                                    x,
                                    statistics.flatten().slice(0, 3).reshape(3, 1)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("[7]");
        }
    }
}
