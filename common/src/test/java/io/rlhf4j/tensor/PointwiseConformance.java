package io.rlhf4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Sums, scaling and activations. */
interface PointwiseConformance extends Conformance {
    @ParameterizedTest
    @EnumSource(DType.class)
    default void additionAlsoInPlace(DType type) {
        for (int length : ODD_LENGTHS) {
            try (Workbench bench = open()) {
                Tensor a = bench.normal(type, 3, length);
                Tensor b = bench.normal(type, 3, length);
                Tensor out = bench.output(type, 3, length);
                double[] wide = Workbench.values(a);
                backend().add(a, b, out);
                Tolerance.of(type).check("a + b " + out, out, Reference.sum(wide, Workbench.values(b)));
                backend().add(a, b, b);
                assertThat(b.toFloats()).as("into b").containsExactly(out.toFloats());
                backend().add(a, a, a);
                Tolerance.of(type).check("a + a into a " + a, a, Reference.sum(wide, wide));
            }
        }
    }

    @Test
    default void scaledTensorsAreAddedAcrossTypes() {
        for (DType typeX : DType.values()) {
            for (DType typeY : DType.values()) {
                for (int length : ODD_LENGTHS) {
                    try (Workbench bench = open()) {
                        Tensor x = bench.normal(typeX, length, 3);
                        Tensor y = bench.normal(typeY, length, 3);
                        double[] expected = Workbench.values(y);
                        double[] wide = Workbench.values(x);
                        for (int i = 0; i < wide.length; i++) {
                            expected[i] += -0.3f * wide[i];
                        }
                        backend().addScaled(-0.3f, x, y);
                        Tolerance.of(typeY).check("y += factor x, " + x + " to " + y, y, expected);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    default void scalingInPlace(DType type) {
        for (int length : ODD_LENGTHS) {
            try (Workbench bench = open()) {
                Tensor x = bench.normal(type, length);
                double[] expected =
                        Arrays.stream(Workbench.values(x)).map(v -> 0.7f * v).toArray();
                backend().scale(x, 0.7f);
                Tolerance.of(type).check("scaled " + x, x, expected);
            }
        }
    }

    /** Values beside zero, in the tails and far outside, where careless forms overflow or lose all digits. */
    private static Tensor activationInputs(Workbench bench, DType type, int length) {
        float[] values = bench.normals(length);
        float[] special = {0f, 1e-4f, -1e-4f, 6f, -6f, 12f, -12f, 100f, -100f, -3f, 3f};
        for (int i = 0; i < length; i++) {
            values[i] = i % 3 == 0 ? special[i / 3 % special.length] : 2 * values[i];
        }
        return bench.of(type, values, length);
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    default void activationsForwardAndBackward(DType type) {
        for (Activation f : Activation.values()) {
            for (int length : ODD_LENGTHS) {
                try (Workbench bench = open()) {
                    Tensor x = activationInputs(bench, type, length);
                    Tensor dy = bench.normal(type, length);
                    Tensor out = bench.output(type, length);
                    Tensor dx = bench.output(type, length);
                    double[] wide = Workbench.values(x);
                    double[] wideDy = Workbench.values(dy);
                    backend().activate(f, x, out);
                    Tolerance.of(type).check(f + " of " + x, out, Reference.activations(f, wide));
                    double[] gradient = new double[length];
                    for (int i = 0; i < length; i++) {
                        double slope =
                                Reference.gradient(new double[] {wide[i]}, at -> Reference.activation(f, at[0]))[0];
                        // RELU has no derivative at zero; the convention of the field is 0
                        gradient[i] = f == Activation.RELU && wide[i] == 0 ? 0 : slope * wideDy[i];
                    }
                    backend().activateBackward(f, x, dy, dx);
                    Tolerance.of(type).check(f + " backward of " + x, dx, gradient);
                    backend().activateBackward(f, x, dy, dy);
                    assertThat(dy.toFloats()).as("into dy").containsExactly(dx.toFloats());
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    default void gatedActivationsForwardAndBackward(DType type) {
        for (Activation f : Activation.values()) {
            for (int n : new int[] {1, 16, 19, 40}) {
                try (Workbench bench = open()) {
                    int rows = 3;
                    Tensor gateUp = bench.normal(type, rows, 2 * n);
                    Tensor dy = bench.normal(type, rows, n);
                    Tensor out = bench.output(type, rows, n);
                    Tensor dGateUp = bench.output(type, rows, 2 * n);
                    double[] wide = Workbench.values(gateUp);
                    double[] wideDy = Workbench.values(dy);
                    backend().activateGated(f, gateUp, out);
                    Tolerance.of(type).check(f + " gated " + gateUp, out, Reference.gated(f, wide, rows));
                    backend().activateGatedBackward(f, gateUp, dy, dGateUp);
                    double[] gradient =
                            Reference.gradient(wide, at -> Reference.dot(wideDy, Reference.gated(f, at, rows)));
                    Tolerance.of(type).check(f + " gated backward " + gateUp, dGateUp, gradient);
                }
            }
        }
    }

    @Test
    default void pointwiseShapesThatDifferAreRefused() {
        try (Workbench bench = open()) {
            Tensor a = bench.normal(DType.FP32, 2, 6);
            Tensor b = bench.normal(DType.FP32, 3, 5);
            assertRefused(() -> backend().add(a, b, a));
            assertRefused(() -> backend().add(a, a, b));
            assertRefused(() -> backend().addScaled(1f, b, a));
            assertRefused(() -> backend().activate(Activation.SILU, a, b));
            assertRefused(() -> backend().activateBackward(Activation.SILU, a, b, a));
            assertRefused(() -> backend().activateGated(Activation.SILU, a, b));
            assertRefused(() -> backend().activateGatedBackward(Activation.SILU, a, b, a));
        }
    }

    private static void assertRefused(Runnable call) {
        assertThatThrownBy(call::run)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("[3, 5]");
    }
}
