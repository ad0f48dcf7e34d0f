package io.rlhf4j.tensor;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Matrix products. bf16 products are exact in fp32, so that only the type of the result decides the tolerance. */
interface ProductConformance extends Conformance {
    int[][] PRODUCT_SHAPES = {{1, 1, 1}, {1, 5, 7}, {3, 1, 17}, {17, 33, 65}, {64, 48, 16}, {70, 129, 31}, {1, 300, 90}
    };

    /** Rows that a backend may have kernels of their own for, and sizes around these. */
    int[][] FEW_ROWS = {
        {1, 64, 16}, {3, 128, 17}, {8, 192, 300}, {17, 320, 50}, {32, 2048, 70}, {9, 1088, 33}, {40, 64, 33}
    };

    @Test
    default void matmulOfEveryTypeAndTransposition() {
        for (DType typeA : DType.values()) {
            for (DType typeB : DType.values()) {
                for (DType typeOut : DType.values()) {
                    for (int[] shape : PRODUCT_SHAPES) {
                        for (int transpositions = 0; transpositions < 4; transpositions++) {
                            checkMatmul(typeA, typeB, typeOut, shape, transpositions, false, false);
                        }
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    default void matmulOfColumnViews(DType type) {
        for (int[] shape : PRODUCT_SHAPES) {
            for (int transpositions = 0; transpositions < 4; transpositions++) {
                checkMatmul(type, type, type, shape, transpositions, true, false);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    default void matmulAddsWhereAsked(DType type) {
        for (int[] shape : PRODUCT_SHAPES) {
            for (int transpositions = 0; transpositions < 4; transpositions++) {
                checkMatmul(type, type, type, shape, transpositions, false, true);
                checkMatmul(type, type, DType.FP32, shape, transpositions, true, true);
            }
        }
    }

    /** Rows that are a multiple of 4,096 bytes apart are laid out anew where that is worth while. */
    @ParameterizedTest
    @EnumSource(DType.class)
    default void matmulOfManyRowsWhoseFactorsHaveRowsAPageApart(DType type) {
        for (int[] shape : new int[][] {{128, 19, 2048}, {130, 16, 1024}, {2048, 11, 200}}) {
            for (int transpositions = 0; transpositions < 4; transpositions++) {
                checkMatmul(type, type, type, shape, transpositions, false, false);
                checkMatmul(type, type, DType.FP32, shape, transpositions, false, true);
            }
        }
    }

    private void checkMatmul(
            DType typeA, DType typeB, DType typeOut, int[] shape, int transpositions, boolean views, boolean add) {
        int m = shape[0];
        int k = shape[1];
        int n = shape[2];
        boolean transposeA = (transpositions & 1) != 0;
        boolean transposeB = (transpositions & 2) != 0;
        try (Workbench bench = open()) {
            Tensor a = matrix(bench, typeA, transposeA ? k : m, transposeA ? m : k, views);
            Tensor b = matrix(bench, typeB, transposeB ? n : k, transposeB ? k : n, views);
            Tensor out = add
                    ? matrix(bench, typeOut, m, n, views)
                    : views ? bench.outputColumns(typeOut, m, n) : bench.output(typeOut, m, n);
            double[] expected =
                    Reference.matmul(Workbench.values(a), transposeA, Workbench.values(b), transposeB, m, k, n);
            if (add) {
                expected = Reference.sum(expected, Workbench.values(out));
            }
            backend().matmul(a, transposeA, b, transposeB, out, add);
            String what = "%s x %s -> %s, transposed %s %s, views %s, add %s"
                    .formatted(a, b, out, transposeA, transposeB, views, add);
            Tolerance.of(typeOut).check(what, out, expected);
        }
    }

    private static Tensor matrix(Workbench bench, DType type, int rows, int columns, boolean view) {
        return view ? bench.normalColumns(type, rows, columns) : bench.normal(type, rows, columns);
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    default void linearWithAndWithoutBias(DType type) {
        for (int[] shape :
                Stream.of(PRODUCT_SHAPES, FEW_ROWS).flatMap(Stream::of).toList()) {
            try (Workbench bench = open()) {
                Tensor x = bench.normal(type, shape[0], shape[1]);
                Tensor weight = bench.normal(type, shape[2], shape[1]);
                Tensor bias = bench.normal(type, shape[2]);
                Tensor out = bench.output(type, shape[0], shape[2]);
                double[] wide = Workbench.values(x);
                backend().linear(x, weight, bias, out);
                Tolerance.of(type)
                        .check(
                                "with bias " + x,
                                out,
                                Reference.linear(wide, Workbench.values(weight), Workbench.values(bias), shape[0]));
                backend().linear(x, weight, null, out);
                Tolerance.of(type)
                        .check(
                                "without bias " + x,
                                out,
                                Reference.linear(wide, Workbench.values(weight), null, shape[0]));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    default void linearWithAnActivationAndAResidual(DType type) {
        for (int[] shape : FEW_ROWS) {
            for (Activation activation : Activation.values()) {
                try (Workbench bench = open()) {
                    Tensor x = bench.normal(type, shape[0], shape[1]);
                    Tensor weight = bench.normal(type, shape[2], shape[1]);
                    Tensor bias = bench.normal(type, shape[2]);
                    Tensor residual = bench.normal(type, shape[0], shape[2]);
                    Tensor out = bench.output(type, shape[0], shape[2]);
                    double[] product = Reference.linear(
                            Workbench.values(x), Workbench.values(weight), Workbench.values(bias), shape[0]);
                    backend().linear(x, weight, bias, null, residual, out);
                    double[] added = Reference.sum(product, Workbench.values(residual));
                    Tolerance.of(type).check("residual and " + x, out, added);
                    backend().linear(x, weight, bias, activation, null, out);
                    double[] activated = Reference.activations(activation, product);
                    Tolerance.of(type).check(activation + " of " + x, out, activated);
                    backend().linear(x, weight, bias, activation, residual, out);
                    Tolerance.of(type)
                            .check("both and " + x, out, Reference.sum(activated, Workbench.values(residual)));
                }
            }
        }
    }

    /** Sizes that no tile and no piece of a thread divides, too. */
    @ParameterizedTest
    @EnumSource(DType.class)
    default void aPackedWeightGivesTheSameLayersAndLogits(DType type) {
        for (int[] shape : new int[][] {{1, 16, 1}, {3, 17, 33}, {8, 96, 300}, {150, 129, 257}, {130, 2100, 70}}) {
            try (Workbench bench = open()) {
                Tensor x = bench.normal(type, shape[0], shape[1]);
                Tensor weight = bench.normal(type, shape[2], shape[1]);
                Tensor bias = bench.normal(type, shape[2]);
                Tensor packed = backend().packWeight(bench.scope(), weight);
                double[] wide = Workbench.values(x);
                for (Tensor added : new Tensor[] {bias, null}) {
                    double[] expected = Reference.linear(
                            wide, Workbench.values(weight), added == null ? null : Workbench.values(added), shape[0]);
                    Tensor out = bench.output(type, shape[0], shape[2]);
                    backend().linear(x, packed, added, out);
                    Tolerance.of(type).check("layer of " + x, out, expected);
                    Tensor logits = bench.output(DType.FP32, shape[0], shape[2]);
                    backend().logits(new LanguageHead(packed, added, 0f, 1f), x, logits);
                    Tolerance.of(DType.FP32).check("logits of " + x, logits, expected);
                }
            }
        }
    }

    /** Against the weight that the rounding makes of it; one of its rows is zero. */
    @ParameterizedTest
    @EnumSource(DType.class)
    default void aWeightRoundedToInt8GivesTheLayersAndLogitsOfItsRoundedNumbers(DType type) {
        for (int[] shape : new int[][] {
            {1, 1, 1},
            {3, 17, 33},
            {2, 1025, 70},
            {8, 96, 300},
            {150, 129, 257},
            {1, 2048, 65},
            {30, 2048, 128},
            {8, 192, 40}
        }) {
            try (Workbench bench = open()) {
                int in = shape[1];
                Tensor x = bench.normal(type, shape[0], in);
                Tensor weight = bench.normal(type, shape[2], in);
                backend().fill(weight.slice(shape[2] / 2, shape[2] / 2 + 1), 0f);
                Tensor bias = bench.normal(type, shape[2]);
                Tensor packed = backend().packInt8(bench.scope(), weight);
                double[] rounded = int8(weight.toFloats(), in);
                for (Tensor added : new Tensor[] {bias, null}) {
                    double[] expected = Reference.linear(
                            Workbench.values(x), rounded, added == null ? null : Workbench.values(added), shape[0]);
                    Tensor out = bench.output(type, shape[0], shape[2]);
                    backend().linear(x, packed, added, out);
                    Tolerance.of(type).check("layer of " + x, out, expected);
                    Tensor logits = bench.output(DType.FP32, shape[0], shape[2]);
                    backend().logits(new LanguageHead(packed, added, 0f, 1f), x, logits);
                    // Where a backend keeps rounded numbers in bf16 they are rounded a second time.
                    Tolerance.of(type).check("logits of " + x, logits, expected);
                }
            }
        }
    }

    private static double[] int8(float[] weight, int columns) {
        double[] rounded = new double[weight.length];
        for (int row = 0; row < weight.length; row += columns) {
            float largest = 0;
            for (int i = row; i < row + columns; i++) {
                largest = Math.max(largest, Math.abs(weight[i]));
            }
            float scale = largest == 0 ? 1 : largest / 127;
            for (int i = row; i < row + columns; i++) {
                rounded[i] = Math.rint(weight[i] / scale) * scale;
            }
        }
        return rounded;
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    default void columnSumsAreAdded(DType type) {
        for (int rows : ODD_LENGTHS) {
            for (DType typeOfSums : DType.values()) {
                try (Workbench bench = open()) {
                    Tensor x = bench.normalColumns(type, rows, 37);
                    Tensor sums = bench.normal(typeOfSums, 37);
                    double[] expected = Workbench.values(sums);
                    double[] wide = Workbench.values(x);
                    for (int i = 0; i < wide.length; i++) {
                        expected[i % 37] += wide[i];
                    }
                    backend().addColumnSums(x, sums);
                    Tolerance.of(typeOfSums).check("sums of " + x, sums, expected);
                }
            }
        }
    }

    @Test
    default void productsThatDoNotFitAreRefused() {
        try (Workbench bench = open()) {
            Tensor a = bench.normal(DType.FP32, 3, 4);
            Tensor b = bench.normal(DType.FP32, 5, 6);
            Tensor out = bench.normal(DType.FP32, 3, 6);
            assertThatThrownBy(() -> backend().matmul(a, false, b, false, out, false))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("[3, 4]")
                    .hasMessageContaining("[5, 6]");
            Tensor fitting = bench.normal(DType.FP32, 4, 7);
            assertThatThrownBy(() -> backend().matmul(a, false, fitting, false, out, false))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("[3, 6]");
            assertThatThrownBy(() -> backend().linear(a, b, null, out))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("[5, 6]");
            Tensor weight = bench.normal(DType.FP32, 6, 4);
            Tensor bias = bench.normal(DType.FP32, 5);
            assertThatThrownBy(() -> backend().linear(a, weight, bias, out))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("[5]");
            assertThatThrownBy(() -> backend().addColumnSums(a, bias))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("[5]");
        }
    }
}
