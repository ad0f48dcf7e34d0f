package io.rlhf4j.tensor;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Rotary positions and attention within packed sequences. */
interface AttentionConformance extends Conformance {
    /** Plain, grouped, one shared key head, windowed, capped, with ALiBi, and a head dimension off any vector length. */
    static List<AttentionSpec> specs() {
        return List.of(
                new AttentionSpec(2, 2, 8, 0.35f, 0, 0f, null),
                new AttentionSpec(4, 2, 16, 0.25f, 0, 0f, null),
                new AttentionSpec(3, 1, 5, 0.4f, 0, 0f, null),
                new AttentionSpec(2, 1, 8, 0.35f, 3, 0f, null),
                new AttentionSpec(2, 2, 8, 1f, 0, 2f, null),
                new AttentionSpec(2, 2, 8, 0.35f, 4, 1.5f, null),
                new AttentionSpec(4, 4, 4, 0.5f, 0, 0f, new float[] {0.5f, 0.25f, 0.125f, 0.0625f}));
    }

    /**
     * The gradient of a score has the product of dOut with the output, rounded to bf16, taken off. That error is shared
     * by all scores of a query and so does not average out in dq and dk; and gradients are far larger in some rows than
     * in most. Seen: 3 % of the root mean square, where the mean error is 0.2 %.
     */
    private static Tolerance ofGradients(DType type) {
        return switch (type) {
            case FP32 -> Tolerance.FP32;
            case BF16 -> new Tolerance(1.0 / 256, 1.0 / 32);
        };
    }

    /** One token; one sequence; sequences of length 1 between others. */
    int[][] STARTS = {{0, 1}, {0, 9}, {0, 1, 2, 7, 8, 15}};

    @ParameterizedTest
    @EnumSource(DType.class)
    default void attentionForwardAndBackward(DType type) {
        for (AttentionSpec spec : specs()) {
            for (int[] starts : STARTS) {
                checkAttention(spec, starts, type, false);
            }
            checkAttention(spec, STARTS[2], type, true);
        }
    }

    /** Longer than any block of queries or keys that a kernel might cut. */
    @ParameterizedTest
    @EnumSource(DType.class)
    default void attentionOfLongSequences(DType type) {
        checkAttention(new AttentionSpec(2, 1, 3, 0.6f, 0, 0f, null), new int[] {0, 131, 140}, type, true);
        checkAttention(new AttentionSpec(1, 1, 4, 0.5f, 70, 0f, null), new int[] {0, 3, 133}, type, true);
    }

    private void checkAttention(AttentionSpec spec, int[] starts, DType type, boolean views) {
        int tokens = starts[starts.length - 1];
        int width = spec.heads() * spec.headDim();
        int kvWidth = spec.kvHeads() * spec.headDim();
        String what =
                "%s, %d tokens in %d sequences, %s, views %s: ".formatted(spec, tokens, starts.length - 1, type, views);
        try (Workbench bench = open()) {
            Tensor q = input(bench, type, tokens, width, views);
            Tensor k = input(bench, type, tokens, kvWidth, views);
            Tensor v = input(bench, type, tokens, kvWidth, views);
            Tensor out = bench.output(type, tokens, width);
            Tensor logSumExp = bench.output(DType.FP32, spec.heads(), tokens);
            double[] wideQ = Workbench.values(q);
            double[] wideK = Workbench.values(k);
            double[] wideV = Workbench.values(v);
            double[] expected = Reference.attention(spec, wideQ, wideK, wideV, starts);
            backend().attention(spec, q, k, v, starts, out, logSumExp);
            Tolerance.of(type).check(what + "out", out, expected);
            Tensor inference = bench.output(type, tokens, width);
            backend().attention(spec, q, k, v, starts, inference, null);
            Tolerance.of(type).check(what + "out without statistics", inference, expected);

            Tensor dOut = bench.normal(type, tokens, width);
            Tensor dq = output(bench, type, tokens, width, views);
            Tensor dk = output(bench, type, tokens, kvWidth, views);
            Tensor dv = output(bench, type, tokens, kvWidth, views);
            double[] wideDOut = Workbench.values(dOut);
            backend().attentionBackward(spec, q, k, v, starts, out, logSumExp, dOut, dq, dk, dv);
            ofGradients(type)
                    .check(
                            what + "dq",
                            dq,
                            gradient(wideQ, wideDOut, at -> Reference.attention(spec, at, wideK, wideV, starts)));
            ofGradients(type)
                    .check(
                            what + "dk",
                            dk,
                            gradient(wideK, wideDOut, at -> Reference.attention(spec, wideQ, at, wideV, starts)));
            ofGradients(type)
                    .check(
                            what + "dv",
                            dv,
                            gradient(wideV, wideDOut, at -> Reference.attention(spec, wideQ, wideK, at, starts)));
        }
    }

    private static double[] gradient(double[] x, double[] dOut, UnaryOperator<double[]> forward) {
        return Reference.gradient(x, at -> Reference.dot(dOut, forward.apply(at)));
    }

    private static Tensor input(Workbench bench, DType type, int rows, int columns, boolean view) {
        return view ? bench.normalColumns(type, rows, columns) : bench.normal(type, rows, columns);
    }

    private static Tensor output(Workbench bench, DType type, int rows, int columns, boolean view) {
        return view ? bench.outputColumns(type, rows, columns) : bench.output(type, rows, columns);
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    default void rotationTurnsPairsByTheirPositionAndBack(DType type) {
        for (int rotaryDims : new int[] {2, 6, 16}) {
            for (boolean interleaved : new boolean[] {false, true}) {
                for (boolean view : new boolean[] {false, true}) {
                    checkRotation(type, rotaryDims, interleaved, view);
                }
            }
        }
    }

    private void checkRotation(DType type, int rotaryDims, boolean interleaved, boolean view) {
        int heads = 3;
        int headDim = 16;
        int[] positions = {0, 1, 5, 0, 9, 3, 3};
        int half = rotaryDims / 2;
        double[] cos = new double[10 * half];
        double[] sin = new double[10 * half];
        for (int i = 0; i < cos.length; i++) {
            double angle = i / half * Math.pow(100, -(double) (i % half) / half);
            cos[i] = (float) Math.cos(angle);
            sin[i] = (float) Math.sin(angle);
        }
        try (Workbench bench = open()) {
            RotarySpec rotary = new RotarySpec(
                    headDim,
                    rotaryDims,
                    interleaved,
                    bench.of(DType.FP32, cos, 10, half),
                    bench.of(DType.FP32, sin, 10, half));
            Tensor x = input(bench, type, positions.length, heads * headDim, view);
            double[] before = Workbench.values(x);
            double[] expected = before.clone();
            for (int token = 0; token < positions.length; token++) {
                for (int head = 0; head < heads; head++) {
                    int begin = (token * heads + head) * headDim;
                    for (int pair = 0; pair < half; pair++) {
                        int first = begin + (interleaved ? 2 * pair : pair);
                        int second = interleaved ? first + 1 : first + half;
                        double c = cos[positions[token] * half + pair];
                        double s = sin[positions[token] * half + pair];
                        expected[first] = before[first] * c - before[second] * s;
                        expected[second] = before[second] * c + before[first] * s;
                    }
                }
            }
            String what = "rotation of %d dimensions, interleaved %s, view %s".formatted(rotaryDims, interleaved, view);
            backend().rotate(rotary, x, positions, false);
            Tolerance.of(type).check(what, x, expected);
            backend().rotate(rotary, x, positions, true);
            Tolerance.of(type).check(what + " and back", x, before);
        }
    }

    @Test
    default void attentionThatDoesNotFitIsRefused() {
        try (Workbench bench = open()) {
            AttentionSpec spec = new AttentionSpec(2, 1, 4, 0.5f, 0, 0f, null);
            Tensor q = bench.normal(DType.FP32, 5, 8);
            Tensor k = bench.normal(DType.FP32, 5, 4);
            Tensor wide = bench.normal(DType.FP32, 5, 7);
            Tensor out = bench.output(DType.FP32, 5, 8);
            int[] starts = {0, 5};
            assertRefused(() -> backend().attention(spec, wide, k, k, starts, out, null), "[5, 7]");
            assertRefused(() -> backend().attention(spec, q, wide, k, starts, out, null), "[5, 7]");
            assertRefused(() -> backend().attention(spec, q, k, wide, starts, out, null), "[5, 7]");
            assertRefused(() -> backend().attention(spec, q, k, k, starts, wide, null), "[5, 7]");
            assertRefused(() -> backend().attention(spec, q, k, k, new int[] {0, 4}, out, null), "[5, 8]");
            Tensor table = bench.normal(DType.FP32, 10, 2);
            RotarySpec rotary = new RotarySpec(4, 4, false, table, table);
            assertRefused(() -> backend().rotate(rotary, wide, new int[5], false), "[5, 7]");
            assertRefused(() -> backend().rotate(rotary, q, new int[4], false), "[5, 8]");
            assertRefused(() -> backend().rotate(rotary, q, new int[] {0, 1, 2, 3, 10}, false), "[10, 2]");
        }
    }

    private static void assertRefused(Runnable call, String named) {
        assertThatThrownBy(call::run)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(named);
    }
}
