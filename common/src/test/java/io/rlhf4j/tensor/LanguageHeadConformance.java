package io.rlhf4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Log-probabilities, entropies and their gradients from hidden states, and plain logits. */
interface LanguageHeadConformance extends Conformance {
    /** rows, hidden, vocabulary. */
    int[][] HEAD_SHAPES = {{1, 8, 5}, {6, 19, 37}, {33, 6, 70}};

    @ParameterizedTest
    @EnumSource(DType.class)
    default void logProbsWithGradientsOfEveryKindOfHead(DType type) {
        for (int[] shape : HEAD_SHAPES) {
            checkHead(type, type, shape, false, 0f, 1f);
            checkHead(type, DType.FP32, shape, true, 0f, 0.7f);
            checkHead(type, type, shape, true, 3f, 1.3f);
        }
    }

    private void checkHead(
            DType type, DType gradientType, int[] shape, boolean biased, float softcap, float temperature) {
        int rows = shape[0];
        int width = shape[1];
        int vocab = shape[2];
        String what = "%d rows, hidden %d, vocabulary %d, %s, bias %s, softcap %s, temperature %s: "
                .formatted(rows, width, vocab, type, biased, softcap, temperature);
        try (Workbench bench = open()) {
            Tensor weight = bench.normal(type, vocab, width);
            Tensor bias = biased ? bench.normal(type, vocab) : null;
            LanguageHead head = new LanguageHead(weight, bias, softcap, temperature);
            Tensor hidden = bench.normal(type, rows, width);
            int[] targets = bench.indices(rows, vocab);
            double[] wideHidden = Workbench.values(hidden);
            double[] wideWeight = Workbench.values(weight);
            double[] wideBias = biased ? Workbench.values(bias) : null;

            double[] expectedLogits = Reference.logits(head, wideHidden, wideWeight, wideBias, rows);
            double[][] expected = Reference.logProbsAndEntropies(expectedLogits, targets);
            Tensor logits = bench.output(DType.FP32, rows, vocab);
            backend().logits(head, hidden, logits);
            Tolerance.of(type).check(what + "logits", logits, expectedLogits);

            float[] logProbs = new float[rows];
            float[] entropies = new float[rows];
            backend().tokenLogProbs(head, hidden, targets, logProbs, entropies);
            Tolerance.of(type).check(what + "log-probabilities", logProbs, expected[0]);
            Tolerance.of(type).check(what + "entropies", entropies, expected[1]);
            backend().tokenLogProbs(head, hidden, targets, logProbs, null);
            Tolerance.of(type).check(what + "log-probabilities alone", logProbs, expected[0]);

            double[] ofLogProb = Workbench.doubles(bench.normals(rows));
            double[] ofEntropy = Workbench.doubles(bench.normals(rows));
            // a token that the loss leaves out
            ofLogProb[rows / 2] = 0;
            ofEntropy[rows / 2] = 0;
            Tensor dHidden = bench.output(type, rows, width);
            Tensor dWeight = bench.normal(gradientType, vocab, width);
            Tensor dBias = biased ? bench.normal(gradientType, vocab) : null;
            double[] expectedWeight = Reference.sum(
                    Workbench.values(dWeight),
                    Reference.gradient(
                            wideWeight, at -> loss(head, wideHidden, at, wideBias, targets, ofLogProb, ofEntropy)));
            double[] expectedBias = biased
                    ? Reference.sum(
                            Workbench.values(dBias),
                            Reference.gradient(
                                    wideBias,
                                    at -> loss(head, wideHidden, wideWeight, at, targets, ofLogProb, ofEntropy)))
                    : null;
            double[] expectedHidden = Reference.gradient(
                    wideHidden, at -> loss(head, at, wideWeight, wideBias, targets, ofLogProb, ofEntropy));
            Recorded recorded = new Recorded(ofLogProb, ofEntropy, new float[rows], new float[rows], new int[rows]);
            backend()
                    .tokenLogProbsWithGradient(
                            head, hidden, targets, recorded, logProbs, entropies, dHidden, dWeight, dBias);
            Tolerance.of(type).check(what + "log-probabilities with gradient", logProbs, expected[0]);
            Tolerance.of(type).check(what + "entropies with gradient", entropies, expected[1]);
            assertThat(recorded.logProbs).as("given to the loss").containsExactly(logProbs);
            assertThat(recorded.entropies).as("given to the loss").containsExactly(entropies);
            assertThat(recorded.calls).as("calls for each token").containsOnly(1);
            Tolerance.of(type).check(what + "dHidden", dHidden, expectedHidden);
            // gradients of logits may pass through the type of the hidden states on their way to fp32
            Tolerance.of(type).check(what + "dWeight", dWeight, expectedWeight);
            if (biased) {
                Tolerance.of(type).check(what + "dBias", dBias, expectedBias);
            }

            Tensor frozen = bench.output(type, rows, width);
            backend()
                    .tokenLogProbsWithGradient(
                            head, hidden, targets, recorded, logProbs, entropies, frozen, null, null);
            Tolerance.of(type).check(what + "dHidden of a frozen head", frozen, expectedHidden);
        }
    }

    private static double loss(
            LanguageHead head,
            double[] hidden,
            double[] weight,
            double[] bias,
            int[] targets,
            double[] ofLogProb,
            double[] ofEntropy) {
        double[][] values =
                Reference.logProbsAndEntropies(Reference.logits(head, hidden, weight, bias, targets.length), targets);
        return Reference.dot(ofLogProb, values[0]) + Reference.dot(ofEntropy, values[1]);
    }

    /** Fixed derivatives, and what the loss was told. */
    record Recorded(double[] ofLogProb, double[] ofEntropy, float[] logProbs, float[] entropies, int[] calls)
            implements TokenGradient {
        @Override
        public float ofLogProb(int index, float logProb, float entropy) {
            logProbs[index] = logProb;
            entropies[index] = entropy;
            calls[index]++;
            return (float) ofLogProb[index];
        }

        @Override
        public float ofEntropy(int index, float logProb, float entropy) {
            return (float) ofEntropy[index];
        }
    }

    /** Without entropies the loss is asked for log-probabilities alone. */
    @Test
    default void gradientsWithoutEntropies() {
        try (Workbench bench = open()) {
            LanguageHead head = new LanguageHead(bench.normal(DType.FP32, 21, 8), null, 0f, 1f);
            Tensor hidden = bench.normal(DType.FP32, 4, 8);
            int[] targets = {3, 20, 0, 7};
            double[] weight = Workbench.values(head.weight());
            double[] ones = {1, 1, 1, 1};
            float[] logProbs = new float[4];
            Tensor dHidden = bench.output(DType.FP32, 4, 8);
            backend()
                    .tokenLogProbsWithGradient(
                            head,
                            hidden,
                            targets,
                            (index, logProb, entropy) -> 1f,
                            logProbs,
                            null,
                            dHidden,
                            null,
                            null);
            double[] expected = Reference.gradient(
                    Workbench.values(hidden), at -> loss(head, at, weight, null, targets, ones, new double[4]));
            Tolerance.FP32.check("dHidden", dHidden, expected);
        }
    }

    /** Logits of 200 overflow fp32's exponential unless the largest is taken off first. */
    @Test
    default void largeLogitsStayFinite() {
        try (Workbench bench = open()) {
            double[] weight = new double[30];
            weight[0] = 20;
            weight[3] = -20;
            LanguageHead head = new LanguageHead(bench.of(DType.FP32, weight, 10, 3), null, 0f, 1f);
            Tensor hidden = bench.of(DType.FP32, new float[] {10, 0, 0, -10, 0, 0}, 2, 3);
            float[] logProbs = new float[2];
            float[] entropies = new float[2];
            backend().tokenLogProbs(head, hidden, new int[] {1, 0}, logProbs, entropies);
            Tolerance.FP32.check("log-probabilities", logProbs, new double[] {-400, -400});
            assertThat(entropies).containsExactly(new float[2], within(1e-6f));
        }
    }

    /** More rows and a larger vocabulary than a kernel is likely to hold at once. */
    @ParameterizedTest
    @EnumSource(DType.class)
    default void manyRowsAndALargeVocabulary(DType type) {
        int rows = 150;
        int vocab = 5003;
        try (Workbench bench = open()) {
            LanguageHead head = new LanguageHead(bench.normal(type, vocab, 24), null, 0f, 1f);
            Tensor hidden = bench.normal(type, rows, 24);
            int[] targets = bench.indices(rows, vocab);
            float[] logProbs = new float[rows];
            float[] entropies = new float[rows];
            backend().tokenLogProbs(head, hidden, targets, logProbs, entropies);
            double[][] expected = Reference.logProbsAndEntropies(
                    Reference.logits(head, Workbench.values(hidden), Workbench.values(head.weight()), null, rows),
                    targets);
            Tolerance.of(type).check("log-probabilities", logProbs, expected[0]);
            Tolerance.of(type).check("entropies", entropies, expected[1]);
        }
    }

    @Test
    default void headsThatDoNotFitAreRefused() {
        try (Workbench bench = open()) {
            LanguageHead head = new LanguageHead(bench.normal(DType.FP32, 9, 4), null, 0f, 1f);
            Tensor wide = bench.normal(DType.FP32, 2, 5);
            Tensor hidden = bench.normal(DType.FP32, 2, 4);
            assertRefused(() -> backend().tokenLogProbs(head, wide, new int[2], new float[2], null), "[2, 5]");
            assertRefused(() -> backend().tokenLogProbs(head, hidden, new int[3], new float[3], null), "[2, 4]");
            assertRefused(() -> backend().tokenLogProbs(head, hidden, new int[] {0, 9}, new float[2], null), "[9, 4]");
            assertRefused(() -> backend().logits(head, hidden, bench.output(DType.FP32, 2, 8)), "[2, 8]");
        }
    }

    private static void assertRefused(Runnable call, String named) {
        assertThatThrownBy(call::run)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(named);
    }
}
