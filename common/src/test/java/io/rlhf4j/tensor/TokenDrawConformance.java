package io.rlhf4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Tokens drawn from rows of logits. */
interface TokenDrawConformance extends Conformance {
    @Test
    default void aDrawIsTheTokenAtWhichTheRunningSumPassesTheNumber() {
        for (int vocabulary : new int[] {1, 5, 70, 1024, 3 * 1024 + 7, 5000}) {
            for (float temperature : new float[] {1f, 0.6f}) {
                checkDraws(vocabulary, temperature);
            }
        }
    }

    private void checkDraws(int vocabulary, float temperature) {
        int draws = 200;
        int[] rows = new int[draws];
        double[] uniforms = new double[draws];
        for (int i = 0; i < draws; i++) {
            rows[i] = i % 3;
            uniforms[i] = (i + 0.5) / draws;
        }
        try (Workbench bench = open()) {
            Tensor logits = bench.normal(DType.FP32, 3, vocabulary);
            backend().scale(logits, 3f);
            double[] values = Workbench.values(logits);
            int[] tokens = new int[draws];
            float[] logProbs = new float[draws];
            backend().drawTokens(logits, temperature, rows, uniforms, tokens, logProbs);
            for (int i = 0; i < draws; i++) {
                double sum = 0;
                double before = 0;
                for (int token = 0; token < vocabulary; token++) {
                    double share = Math.exp(values[rows[i] * vocabulary + token] / temperature);
                    sum += share;
                    before += token < tokens[i] ? share : 0;
                }
                double own = Math.exp(values[rows[i] * vocabulary + tokens[i]] / temperature) / sum;
                String what = "draw %d of %d tokens at temperature %s".formatted(i, vocabulary, temperature);
                // fp32 sums: the place where one token's part ends is known to about 1e-6.
                assertThat(uniforms[i]).as(what).isBetween(before / sum - 2e-6, before / sum + own + 2e-6);
                assertThat((double) logProbs[i]).as(what).isCloseTo(Math.log(own), within(1e-5));
            }
        }
    }

    @Test
    default void aTokenThatIsRuledOutIsNeverDrawn() {
        float[] row = new float[2100];
        Arrays.fill(row, Float.NEGATIVE_INFINITY);
        row[700] = 2f;
        row[1500] = 1f;
        try (Workbench bench = open()) {
            Tensor logits = bench.of(DType.FP32, row, 1, row.length);
            int[] tokens = new int[3];
            float[] logProbs = new float[3];
            double[] uniforms = {0, 0.9, Math.nextDown(1.0)};
            backend().drawTokens(logits, 1f, new int[3], uniforms, tokens, logProbs);
            assertThat(tokens).containsExactly(700, 1500, 1500);
            assertThat(logProbs[1]).isCloseTo((float) -Math.log1p(Math.E), within(1e-6f));
        }
    }

    @Test
    default void aDrawFromARowThatIsNotThereIsRefused() {
        try (Workbench bench = open()) {
            Tensor logits = bench.normal(DType.FP32, 2, 5);
            assertThatThrownBy(() ->
                            backend().drawTokens(logits, 1f, new int[] {2}, new double[1], new int[1], new float[1]))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("drawTokens: index 2");
        }
    }
}
