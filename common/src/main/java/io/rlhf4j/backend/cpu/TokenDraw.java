package io.rlhf4j.backend.cpu;

import static io.rlhf4j.backend.cpu.Lanes.WIDTH;

import io.rlhf4j.tensor.Tensor;
import jdk.incubator.vector.FloatVector;

/**
 * Draws tokens from the softmax of rows of logits, in the memory where these lie: one pass for the largest, one that leaves
 * a sum for each block of the vocabulary, and then only the block in which the draw falls is looked at.
 */
final class TokenDraw {
    private static final int BLOCK = 64 * WIDTH;

    private final WorkerPool workers;

    TokenDraw(WorkerPool workers) {
        this.workers = workers;
    }

    /** {@link io.rlhf4j.tensor.Backend#drawTokens}. */
    void draw(Tensor logits, float temperature, int[] rows, double[] uniforms, int[] tokens, float[] logProbs) {
        Rows all = Rows.of(logits);
        int vocabulary = logits.columns();
        workers.run(rows.length, (i, workspace) -> {
            Span row = workspace.input(0, all, rows[i], 0, vocabulary);
            double[] sums = new double[(vocabulary + BLOCK - 1) / BLOCK];
            float largest = LogitKernels.largest(row.memory, row.offset, vocabulary);
            double total = 0;
            for (int block = 0; block < sums.length; block++) {
                int from = block * BLOCK;
                int count = Math.min(BLOCK, vocabulary - from);
                sums[block] = sum(row.memory, row.offset + 4L * from, largest, 1f / temperature, count);
                total += sums[block];
            }
            tokens[i] = find(row, vocabulary, largest, temperature, sums, uniforms[i] * total);
            float logit = Lanes.get(row.memory, row.offset + 4L * tokens[i]);
            logProbs[i] = (float) (((double) logit - largest) / temperature - StrictMath.log(total));
        });
    }

    /** Sum of e^((l - largest) / temperature). */
    private static float sum(Object l, long at, float largest, float inverse, int n) {
        if (n % WIDTH != 0) {
            return sumOfEach(l, at, largest, inverse, n);
        }
        FloatVector sum = Lanes.broadcast(0f);
        for (int i = 0; i < n; i += WIDTH) {
            sum = sum.add(ExactMath.expBounded(
                    Lanes.load(l, at + (4 * i)).sub(largest).mul(inverse)));
        }
        return Lanes.sum(sum);
    }

    private static float sumOfEach(Object l, long at, float largest, float inverse, int n) {
        float sum = 0f;
        for (int i = 0; i < n; i++) {
            sum += exponential(Lanes.get(l, at + 4L * i), largest, inverse);
        }
        return sum;
    }

    private static float exponential(float logit, float largest, float inverse) {
        return ExactMath.expBounded(Lanes.broadcast(logit).sub(largest).mul(inverse))
                .lane(0);
    }

    /** The token at which the running sum passes {@code left}; where rounding left a rest, the last one possible. */
    private static int find(Span row, int vocabulary, float largest, float temperature, double[] sums, double left) {
        double rest = left;
        int block = 0;
        while (block < sums.length - 1 && rest >= sums[block]) {
            rest -= sums[block];
            block++;
        }
        while (block > 0 && sums[block] == 0) {
            block--;
        }
        int last = block * BLOCK;
        for (int token = block * BLOCK; token < Math.min(vocabulary, (block + 1) * BLOCK); token++) {
            float logit = Lanes.get(row.memory, row.offset + 4L * token);
            float share = exponential(logit, largest, 1f / temperature);
            if (share > 0f) {
                last = token;
                rest -= share;
                if (rest < 0) {
                    return token;
                }
            }
        }
        return last;
    }
}
