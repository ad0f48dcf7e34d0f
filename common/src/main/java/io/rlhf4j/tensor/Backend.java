package io.rlhf4j.tensor;

import io.rlhf4j.error.Rlhf4jException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Where tensors live and what computes with them: coarse operations of a transformer, forward and backward.
 *
 * <p>Rules for every operation:
 *
 * <ul>
 *   <li>Outputs are allocated by the caller and overwritten, unless the operation says that it adds.
 *   <li>Matrices are tensors of two dimensions; "rows" are usually the tokens of a packed batch: sequences one after
 *       the other, without padding. {@code starts} holds where each sequence begins and, last, the number of tokens.
 *   <li>Tensors are FP32 or BF16; arithmetic, sums and statistics are fp32. Parameter gradients may be FP32 where the
 *       parameters are BF16. Unless said otherwise tensors are contiguous.
 *   <li>Equal inputs give equal bits, on a cold and on a hot JVM; a sum's order does not depend on timing.
 *   <li>Shapes that do not fit are an {@link IllegalArgumentException} that names them.
 *   <li>Threads: calls on different tensors may come from several threads (ranks of one JVM).
 * </ul>
 */
public interface Backend extends GenerationPasses {
    /** Short name for configuration and reports: {@code cpu}, {@code nd4j}, {@code cuda}. */
    String name();

    /** One line on what it runs on: processor features, library versions, threads. Part of a run's identity. */
    String description();

    // ---- memory

    /** Memory for {@code elements} elements, not set. Called by {@link Scope}. */
    Storage allocate(DType type, long elements);

    /**
     * Zeros on disk that are used like memory: the system takes them in and out as it likes, and nothing is left of them when
     * the process has ended. Called by {@link Scope}.
     *
     * @param folder on a disk of this machine
     * @throws Rlhf4jException of kind CLUSTER where there is no room, of kind CONFIGURATION where this backend cannot do it
     */
    default Storage allocateOnDisk(DType type, long elements, Path folder) {
        throw Rlhf4jException.configuration(
                "the backend %s cannot keep tensors on disk here; set cluster.offload to memory, or compute.backend to cpu"
                        .formatted(name()));
    }

    /** Of a tensor that may lie on disk: begins to read it, or, where it is not needed soon, lets it leave memory. */
    default void willNeed(Tensor tensor, boolean soon) {}

    /** Sets elements from {@code source[from ...]}, rounding to the tensor's type. The tensor may be a column view. */
    void write(Tensor target, float[] source, int from);

    /** Copies all elements as fp32 to {@code target[from ...]}. The tensor may be a column view. */
    void read(Tensor source, float[] target, int from);

    /** Sets every element. */
    void fill(Tensor target, float value);

    /** Copies elements of an equal shape, converting the type. Both may be column views. */
    void copy(Tensor source, Tensor target);

    /**
     * A contiguous tensor's elements where they lie, in the machine's byte order, if that is memory of this process: what is
     * put there is put into the tensor. Nobody may use it once the tensor is freed. The tensor has less than 2 GiB.
     */
    default Optional<ByteBuffer> hostBytes(Tensor tensor) {
        return Optional.empty();
    }

    // ---- matrix products

    /**
     * {@code out = op(a) op(b)}, or {@code out += op(a) op(b)} with {@code add}; op transposes where asked. a, b and out
     * may be column views and of different types.
     */
    void matmul(Tensor a, boolean transposeA, Tensor b, boolean transposeB, Tensor out, boolean add);

    /** {@code out = x weightᵀ + bias}: x [rows, in], weight [out, in], bias [out] or null, out [rows, out]. */
    void linear(Tensor x, Tensor weight, Tensor bias, Tensor out);

    /**
     * {@code out = residual + f(x weightᵀ + bias)}; what is between may be rounded or not.
     *
     * @param f null for none
     * @param residual [rows, out], or null for none; not {@code out}
     */
    default void linear(Tensor x, Tensor weight, Tensor bias, Activation f, Tensor residual, Tensor out) {
        linear(x, weight, bias, out);
        if (f != null) {
            activate(f, out, out);
        }
        if (residual != null) {
            add(residual, out, out);
        }
    }

    /**
     * The same weight [out, in], held by {@code scope}, as products of few rows read it fastest: the weight itself where it
     * lies well already. Where it does not, the result is for {@link #linear} and {@link #logits} alone, with x of its type:
     * its elements lie in an order of the backend's own.
     */
    default Tensor packWeight(Scope scope, Tensor weight) {
        return weight;
    }

    /**
     * {@link #packWeight} of the weight rounded to {@link Int8}. Where a backend has no code for it the rounded numbers have
     * the weight's type; where it has, a byte each, and products are {@code (x codesᵀ) * scales + bias}.
     */
    default Tensor packInt8(Scope scope, Tensor weight) {
        float[] values = weight.toFloats();
        Int8.round(values, weight.columns());
        Tensor rounded = scope.of(weight.type(), values, weight.shape());
        Tensor packed = packWeight(scope, rounded);
        if (packed != rounded) {
            scope.free(rounded);
        }
        return packed;
    }

    /** {@code sums[c] += sum over rows of x[r, c]}: the gradient of a bias. x may be a column view. */
    void addColumnSums(Tensor x, Tensor sums);

    // ---- pointwise

    /** {@code out = a + b}; out may be a or b. */
    void add(Tensor a, Tensor b, Tensor out);

    /** {@code y += factor * x}. */
    void addScaled(float factor, Tensor x, Tensor y);

    /** {@code x *= factor}. */
    void scale(Tensor x, float factor);

    /** {@code out = f(x)}; out may be x. */
    void activate(Activation f, Tensor x, Tensor out);

    /** {@code dx = f'(x) dy}; dx may be dy. */
    void activateBackward(Activation f, Tensor x, Tensor dy, Tensor dx);

    /** {@code out = f(gate) * up}: gateUp [rows, 2n] holds gate then up, out [rows, n]. */
    void activateGated(Activation f, Tensor gateUp, Tensor out);

    /** Gradient of {@link #activateGated}: dy [rows, n], dGateUp [rows, 2n]. */
    void activateGatedBackward(Activation f, Tensor gateUp, Tensor dy, Tensor dGateUp);

    // ---- normalisation, row by row

    /**
     * {@code out = (x - mean) * rstd * weight + bias} over each row (Ba et al. 2016). {@code statistics} [rows, 2] fp32
     * receives mean and rstd = 1/sqrt(variance + epsilon).
     */
    void layerNorm(Tensor x, Tensor weight, Tensor bias, float epsilon, Tensor out, Tensor statistics);

    /** Gradient of {@link #layerNorm}: overwrites dx, adds to dWeight and dBias (null: not wanted, frozen). */
    void layerNormBackward(
            Tensor dy, Tensor x, Tensor weight, Tensor statistics, Tensor dx, Tensor dWeight, Tensor dBias);

    /**
     * {@code out = x * rstd * (weight + weightOffset)} with rstd = 1/sqrt(mean of squares + epsilon) (Zhang and Sennrich
     * 2019); weightOffset is 1 for Gemma. {@code statistics} [rows, 1] fp32 receives rstd.
     */
    void rmsNorm(Tensor x, Tensor weight, float weightOffset, float epsilon, Tensor out, Tensor statistics);

    /** Gradient of {@link #rmsNorm}: overwrites dx, adds to dWeight (null: not wanted). */
    void rmsNormBackward(
            Tensor dy, Tensor x, Tensor weight, float weightOffset, Tensor statistics, Tensor dx, Tensor dWeight);

    // ---- rows

    /** {@code out[i] = table[indices[i]]}: embedding, or choice of rows. */
    void gatherRows(Tensor table, int[] indices, Tensor out);

    /** {@code table[indices[i]] = rows[i]}; no index comes twice. rows may be a column view. */
    default void putRows(Tensor rows, int[] indices, Tensor table) {
        Operands.rows("putRows", table, indices, rows);
        for (int from = 0; from < indices.length; ) {
            int to = from + 1;
            while (to < indices.length && indices[to] == indices[to - 1] + 1) {
                to++;
            }
            copy(rows.slice(from, to), table.slice(indices[from], indices[from] + to - from));
            from = to;
        }
    }

    /** {@code table[indices[i]] += rows[i]}, in the order of i: the gradient of {@link #gatherRows}. */
    void scatterAddRows(Tensor rows, int[] indices, Tensor table);

    // ---- attention

    /**
     * Rotates the leading columns of every head of x [tokens, heads * headDim] in place by its token's position.
     * {@code inverse} rotates back: the gradient. x may be a column view.
     */
    void rotate(RotarySpec rotary, Tensor x, int[] positions, boolean inverse);

    /**
     * Causal attention within each sequence. q [tokens, heads * headDim]; k, v [tokens, kvHeads * headDim]; each may be a
     * column view. out [tokens, heads * headDim]. {@code logSumExp} [heads, tokens] fp32 receives what the gradient needs,
     * or is null where none will follow.
     */
    void attention(AttentionSpec spec, Tensor q, Tensor k, Tensor v, int[] starts, Tensor out, Tensor logSumExp);

    /** Gradient of {@link #attention}: overwrites dq, dk, dv (column views allowed). */
    void attentionBackward(
            AttentionSpec spec,
            Tensor q,
            Tensor k,
            Tensor v,
            int[] starts,
            Tensor out,
            Tensor logSumExp,
            Tensor dOut,
            Tensor dq,
            Tensor dk,
            Tensor dv);

    /**
     * Attention of new tokens, q [tokens, heads * headDim], over a cache of keys and values [rows, kvHeads * headDim] that
     * already holds theirs.
     */
    void cachedAttention(AttentionSpec spec, Tensor q, Tensor keys, Tensor values, CachedTokens tokens, Tensor out);

    /**
     * {@link #cachedAttention} that takes the new tokens up first: row i of k and v [tokens, kvHeads * headDim], which may be
     * column views, is put into row {@code rows[i]} of keys and values, where the token's position lies.
     */
    default void extendCacheAndAttend(
            AttentionSpec spec,
            Tensor q,
            Tensor k,
            Tensor v,
            int[] rows,
            Tensor keys,
            Tensor values,
            CachedTokens tokens,
            Tensor out) {
        putRows(k, rows, keys);
        putRows(v, rows, values);
        cachedAttention(spec, q, keys, values, tokens, out);
    }

    // ---- language-model head; logits of all rows are never held at once

    /**
     * Log-probability of {@code targets[i]} under the softmax of row i's logits; {@code entropies} (null: not wanted)
     * receives the softmax's entropy in nats.
     */
    void tokenLogProbs(LanguageHead head, Tensor hidden, int[] targets, float[] logProbs, float[] entropies);

    /**
     * {@link #tokenLogProbs} and, in the same pass, the gradient of a loss whose derivatives {@code gradient} gives:
     * overwrites dHidden, adds to dWeight and dBias (null: not wanted, or no bias). {@code entropies} as above.
     */
    void tokenLogProbsWithGradient(
            LanguageHead head,
            Tensor hidden,
            int[] targets,
            TokenGradient gradient,
            float[] logProbs,
            float[] entropies,
            Tensor dHidden,
            Tensor dWeight,
            Tensor dBias);

    /** All logits of some rows (decoding, tests): hidden [rows, hidden], logits [rows, vocab] fp32. */
    void logits(LanguageHead head, Tensor hidden, Tensor logits);

    /**
     * Draws tokens from the softmax of logits / temperature. Draw i comes from row {@code rows[i]} of logits [rows, vocab]
     * fp32: the token at which the running sum of the probabilities passes {@code uniforms[i]}, and its log-probability.
     */
    void drawTokens(Tensor logits, float temperature, int[] rows, double[] uniforms, int[] tokens, float[] logProbs);

    // ---- optimizer

    /** Sum of squares of all elements, in fp64, in an order that depends on the shape alone. Not finite if any is not. */
    double sumOfSquares(Tensor x);

    /** One AdamW step on flat fp32 tensors: updates parameter and both moments. The gradient may be BF16. */
    void adamW(AdamWSettings settings, Tensor parameter, Tensor gradient, Tensor moment1, Tensor moment2);
}
