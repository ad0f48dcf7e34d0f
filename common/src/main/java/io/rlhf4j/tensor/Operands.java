package io.rlhf4j.tensor;

import java.util.Arrays;

/**
 * Checks the shapes of the arguments of each {@link Backend} operation, so that every backend refuses the same calls
 * with the same words: an {@link IllegalArgumentException} that names the operation and all its tensors.
 */
public final class Operands {
    private Operands() {}

    /** Both of one shape. */
    public static void copy(Tensor source, Tensor target) {
        require(Arrays.equals(source.shape(), target.shape()), "copy", source, target);
    }

    /** a [m, k] and b [k, n], as transposed, and out [m, n]. */
    public static void matmul(Tensor a, boolean transposeA, Tensor b, boolean transposeB, Tensor out) {
        boolean fits = isMatrix(a) && isMatrix(b) && isMatrix(out);
        fits = fits && out.dimension(0) == a.dimension(transposeA ? 1 : 0);
        fits = fits && out.dimension(1) == b.dimension(transposeB ? 0 : 1);
        fits = fits && a.dimension(transposeA ? 0 : 1) == b.dimension(transposeB ? 1 : 0);
        require(fits, transposeA || transposeB ? "matmul (transposed)" : "matmul", a, b, out);
    }

    /** x [rows, in], weight [out, in], bias [out] or null, out [rows, out]. */
    public static void linear(Tensor x, Tensor weight, Tensor bias, Tensor out) {
        boolean fits = isMatrix(x) && isMatrix(weight, out.columns(), x.columns());
        fits = fits && isMatrix(out, x.rows(), weight.rows()) && isVectorOrNull(bias, weight.rows());
        require(fits, "linear", x, weight, bias, out);
    }

    /** x [rows, n], sums [n]. */
    public static void addColumnSums(Tensor x, Tensor sums) {
        require(isMatrix(x) && isVectorOrNull(sums, x.columns()), "addColumnSums", x, sums);
    }

    /** Any number of contiguous tensors of one shape. */
    public static void pointwise(String operation, Tensor first, Tensor... others) {
        boolean fits = first.isContiguous();
        for (Tensor other : others) {
            fits = fits && other.isContiguous() && Arrays.equals(first.shape(), other.shape());
        }
        if (!fits) {
            Tensor[] all = Arrays.copyOf(others, others.length + 1);
            all[others.length] = first;
            require(false, operation, all);
        }
    }

    /** gateUp [rows, 2n], half [rows, n]. */
    public static void gated(String operation, Tensor gateUp, Tensor half) {
        boolean fits = isMatrix(gateUp) && isMatrix(half, gateUp.rows(), gateUp.columns() / 2);
        require(fits && gateUp.columns() % 2 == 0, operation, gateUp, half);
    }

    /** x and out [rows, n], weight and bias [n] (bias may be null), statistics [rows, perRow] fp32. */
    public static void norm(
            String operation, Tensor x, Tensor weight, Tensor bias, Tensor out, Tensor statistics, int perRow) {
        boolean fits = isMatrix(x) && isMatrix(out, x.rows(), x.columns());
        fits = fits && isVectorOrNull(weight, x.columns()) && isVectorOrNull(bias, x.columns());
        fits = fits && isMatrix(statistics, x.rows(), perRow) && statistics.type() == DType.FP32;
        require(fits, operation, x, weight, bias, out, statistics);
    }

    /** table [n, columns], rows [indices, columns], every index a row of the table. */
    public static void rows(String operation, Tensor table, int[] indices, Tensor rows) {
        require(isMatrix(table) && isMatrix(rows, indices.length, table.columns()), operation, table, rows);
        indices(operation, indices, table);
    }

    /** x [tokens, heads * headDim], tables [positions, rotaryDims / 2] fp32, every position a row of the tables. */
    public static void rotate(RotarySpec rotary, Tensor x, int[] positions) {
        boolean fits = isMatrix(x) && x.rows() == positions.length && x.columns() % rotary.headDim() == 0;
        require(fits, "rotate", x, rotary.cos(), rotary.sin());
        fits = isMatrix(rotary.cos(), rotary.sin().rows(), rotary.rotaryDims() / 2);
        fits = fits && isMatrix(rotary.sin()) && rotary.sin().columns() == rotary.rotaryDims() / 2;
        fits = fits && rotary.rotaryDims() <= rotary.headDim();
        require(fits, "rotate", x, rotary.cos(), rotary.sin());
        indices("rotate", positions, rotary.cos());
    }

    /** q, out [tokens, heads * headDim], k, v [tokens, kvHeads * headDim], logSumExp [heads, tokens] fp32 or null. */
    public static void attention(
            AttentionSpec spec, Tensor q, Tensor k, Tensor v, int[] starts, Tensor out, Tensor logSumExp) {
        int tokens = q.rows();
        int width = spec.heads() * spec.headDim();
        int kvWidth = spec.kvHeads() * spec.headDim();
        boolean fits = isMatrix(q, tokens, width) && isMatrix(out, tokens, width);
        fits = fits && isMatrix(k, tokens, kvWidth) && isMatrix(v, tokens, kvWidth);
        fits = fits && (logSumExp == null || isMatrix(logSumExp, spec.heads(), tokens));
        require(fits, "attention", q, k, v, out, logSumExp);
        starts("attention", starts, q);
    }

    /** Gradients of the shapes of what they are gradients of. */
    public static void attentionBackward(
            AttentionSpec spec, Tensor q, Tensor k, int[] starts, Tensor dOut, Tensor dq, Tensor dk, Tensor dv) {
        attention(spec, dq, dk, dv, starts, dOut, null);
        boolean fits = Arrays.equals(q.shape(), dq.shape()) && Arrays.equals(k.shape(), dk.shape());
        require(fits, "attentionBackward", q, k, dq, dk);
    }

    /** As the attention of a batch, over caches [rows, kvHeads * headDim] and blocks that lie inside of them. */
    public static void cachedAttention(
            AttentionSpec spec, Tensor q, Tensor keys, Tensor values, CachedTokens tokens, Tensor out) {
        int[][] blocks = tokens.blocks();
        int blockSize = tokens.blockSize();
        int[] lengths = tokens.lengths();
        int[] starts = tokens.starts();
        int width = spec.heads() * spec.headDim();
        int kvWidth = spec.kvHeads() * spec.headDim();
        boolean fits = isMatrix(q, q.rows(), width) && isMatrix(out, q.rows(), width);
        fits = fits && isMatrix(keys, keys.rows(), kvWidth) && isMatrix(values, keys.rows(), kvWidth);
        require(fits, "cachedAttention", q, keys, values, out);
        starts("cachedAttention", starts, q);
        for (int s = 0; s < lengths.length; s++) {
            int needed = (lengths[s] + blockSize - 1) / blockSize;
            fits = lengths.length == starts.length - 1 && lengths[s] >= starts[s + 1] - starts[s];
            fits = fits && needed <= blocks[s].length;
            for (int i = 0; fits && i < needed; i++) {
                fits = blocks[s][i] >= 0 && (blocks[s][i] + 1) * blockSize <= keys.rows();
            }
            if (!fits) {
                throw new IllegalArgumentException(
                        "cachedAttention: sequence %d of %d positions does not lie in blocks %s of %d rows of %s"
                                .formatted(s, lengths[s], Arrays.toString(blocks[s]), blockSize, keys));
            }
        }
    }

    /** hidden [rows, hidden], every target a row of the head's weight. */
    public static void head(String operation, LanguageHead head, Tensor hidden, int[] targets) {
        boolean fits = isMatrix(hidden) && hidden.rows() == targets.length && isHeadOf(head, hidden);
        require(fits, operation, hidden, head.weight(), head.bias());
        indices(operation, targets, head.weight());
    }

    /** hidden [rows, hidden], logits [rows, vocab]. */
    public static void logits(LanguageHead head, Tensor hidden, Tensor logits) {
        boolean fits = isMatrix(hidden) && isHeadOf(head, hidden);
        fits = fits && isMatrix(logits, hidden.rows(), head.weight().rows());
        require(fits, "logits", hidden, head.weight(), head.bias(), logits);
    }

    /** logits [rows, vocab] fp32, every drawn row one of them, as many results as draws. */
    public static void draws(Tensor logits, int[] rows, double[] uniforms, int[] tokens, float[] logProbs) {
        boolean fits = isMatrix(logits) && logits.type() == DType.FP32 && uniforms.length == rows.length;
        require(fits && tokens.length == rows.length && logProbs.length == rows.length, "drawTokens", logits);
        indices("drawTokens", rows, logits);
    }

    private static boolean isHeadOf(LanguageHead head, Tensor hidden) {
        Tensor weight = head.weight();
        return isMatrix(weight, weight.rows(), hidden.columns()) && isVectorOrNull(head.bias(), weight.rows());
    }

    /** A gradient of a parameter: null, or of the parameter's shape. Where there is no parameter, nothing is asked. */
    public static void gradient(String operation, Tensor parameter, Tensor gradient) {
        if (parameter != null && gradient != null) {
            require(Arrays.equals(parameter.shape(), gradient.shape()), operation, parameter, gradient);
        }
    }

    private static boolean isMatrix(Tensor tensor) {
        return tensor.dimensions() == 2;
    }

    private static boolean isMatrix(Tensor tensor, int rows, int columns) {
        return isMatrix(tensor) && tensor.dimension(0) == rows && tensor.dimension(1) == columns;
    }

    private static boolean isVectorOrNull(Tensor tensor, int length) {
        return tensor == null || tensor.dimensions() == 1 && tensor.dimension(0) == length;
    }

    private static void starts(String operation, int[] starts, Tensor tokens) {
        boolean fits = starts.length > 0 && starts[0] == 0 && starts[starts.length - 1] == tokens.rows();
        for (int s = 0; fits && s < starts.length - 1; s++) {
            fits = starts[s] <= starts[s + 1];
        }
        if (!fits) {
            throw new IllegalArgumentException("%s: sequences starting at %s do not cut %s into parts"
                    .formatted(operation, Arrays.toString(starts), tokens));
        }
    }

    private static void indices(String operation, int[] indices, Tensor table) {
        for (int i = 0; i < indices.length; i++) {
            if (indices[i] < 0 || indices[i] >= table.rows()) {
                throw new IllegalArgumentException(
                        "%s: index %d at place %d is no row of %s".formatted(operation, indices[i], i, table));
            }
        }
    }

    private static void require(boolean fits, String operation, Tensor... tensors) {
        if (!fits) {
            throw new IllegalArgumentException(operation + ": shapes do not fit: " + Arrays.toString(tensors));
        }
    }
}
