package io.rlhf4j.backend.nd4j;

import io.rlhf4j.tensor.Tensor;

/** Draws tokens on the host, in double precision. */
final class NdTokenDraw {
    private NdTokenDraw() {}

    /** {@link io.rlhf4j.tensor.Backend#drawTokens}. */
    static void draw(Tensor logits, float temperature, int[] rows, double[] uniforms, int[] tokens, float[] logProbs) {
        float[] row = new float[logits.columns()];
        double[] shares = new double[row.length];
        for (int i = 0; i < rows.length; i++) {
            logits.backend().read(logits.slice(rows[i], rows[i] + 1), row, 0);
            double largest = Double.NEGATIVE_INFINITY;
            for (float logit : row) {
                largest = Math.max(largest, logit);
            }
            double sum = 0;
            for (int token = 0; token < row.length; token++) {
                shares[token] = StrictMath.exp((row[token] - largest) / temperature);
                sum += shares[token];
            }
            tokens[i] = find(shares, uniforms[i] * sum);
            logProbs[i] = (float) ((row[tokens[i]] - largest) / temperature - StrictMath.log(sum));
        }
    }

    private static int find(double[] shares, double left) {
        double rest = left;
        int last = 0;
        for (int token = 0; token < shares.length; token++) {
            if (shares[token] > 0) {
                last = token;
                rest -= shares[token];
                if (rest < 0) {
                    return token;
                }
            }
        }
        return last;
    }
}
