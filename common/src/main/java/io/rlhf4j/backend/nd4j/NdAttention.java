package io.rlhf4j.backend.nd4j;

import io.rlhf4j.tensor.AttentionSpec;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * Attention of one sequence's queries, its last positions, over all its keys. All heads at once: temporaries are
 * [heads, queries, keys]. The heads that share a key head are stacked into one matrix of group * queries rows.
 */
final class NdAttention {
    /** Takes a score out of the softmax and, unlike infinity, is no NaN in any difference. */
    private static final double FORBIDDEN = -1e30;

    private final AttentionSpec spec;
    private final long queries;
    private final long keys;
    private final INDArray q;
    private final INDArray k;
    private final INDArray v;
    /** Scores after the softcap, before ALiBi and mask: [heads, queries, keys]. */
    private final INDArray capped;
    /** Those that go into the softmax. */
    private final INDArray scores;

    /**
     * The scores of these tokens.
     *
     * @param q [queries, heads * headDim] fp32
     * @param k [keys, kvHeads * headDim] fp32
     * @param v likewise
     */
    NdAttention(AttentionSpec spec, INDArray q, INDArray k, INDArray v) {
        this.spec = spec;
        this.queries = q.size(0);
        this.keys = k.size(0);
        this.q = groupedHeads(q);
        this.k = splitHeads(k, spec.kvHeads());
        this.v = splitHeads(v, spec.kvHeads());
        INDArray raw = Nd4j.matmul(this.q, this.k, false, true, false).muli(spec.scale());
        this.capped = spec.softcap() > 0
                ? Transforms.tanh(raw.divi(spec.softcap()), false).muli(spec.softcap())
                : raw;
        this.scores = perHead(this.capped).add(penalties());
    }

    /** What mask and ALiBi add to the scores: [1 or heads, queries, keys]. */
    private INDArray penalties() {
        INDArray distance = positions(0, 1, keys).sub(positions(keys - queries, queries, 1));
        INDArray forbidden = distance.gt(0).castTo(DataType.FLOAT);
        if (spec.window() > 0) {
            forbidden.addi(distance.lte(-spec.window()).castTo(DataType.FLOAT));
        }
        INDArray penalties = forbidden.muli(FORBIDDEN).reshape(1, queries, keys);
        if (spec.alibiSlopes() == null) {
            return penalties;
        }
        INDArray slopes = Nd4j.createFromArray(spec.alibiSlopes()).reshape(spec.heads(), 1, 1);
        return slopes.mul(distance.reshape(1, queries, keys)).add(penalties);
    }

    /** Consecutive positions from {@code first} on, as a row or as a column. */
    private static INDArray positions(long first, long rows, long columns) {
        return Nd4j.arange(first, first + rows * columns).castTo(DataType.FLOAT).reshape(rows, columns);
    }

    /** Logarithm of the softmax's denominator: [heads, queries, 1]. */
    INDArray logSumExp() {
        INDArray most = scores.max(true, 2);
        INDArray sums = Transforms.exp(scores.sub(most), false).sum(true, 2);
        return Transforms.log(sums, false).add(most);
    }

    /** The attended values: [queries, heads * headDim]. */
    INDArray output(INDArray logSumExp) {
        return joinHeads(perHead(Nd4j.matmul(grouped(probabilities(logSumExp)), v)));
    }

    private INDArray probabilities(INDArray logSumExp) {
        return Transforms.exp(scores.sub(logSumExp), false);
    }

    /**
     * Gradients with respect to q, k and v, in the shapes in which they were given.
     *
     * @param dOut gradient of {@link #output}
     */
    Gradients gradients(INDArray logSumExp, INDArray dOut) {
        INDArray probabilities = probabilities(logSumExp);
        INDArray dOutGrouped = groupedHeads(dOut);
        INDArray dv = Nd4j.matmul(grouped(probabilities), dOutGrouped, true, false, false);
        INDArray dProbabilities = perHead(Nd4j.matmul(dOutGrouped, v, false, true, false));
        INDArray along = probabilities.mul(dProbabilities).sum(true, 2);
        INDArray dScores = grouped(probabilities.mul(dProbabilities.sub(along)));
        if (spec.softcap() > 0) {
            INDArray tanh = capped.div(spec.softcap());
            dScores.muli(tanh.muli(tanh).rsubi(1));
        }
        dScores.muli(spec.scale());
        INDArray dq = perHead(Nd4j.matmul(dScores, k));
        INDArray dk = Nd4j.matmul(dScores, q, true, false, false);
        return new Gradients(joinHeads(dq), joinHeads(dk), joinHeads(dv));
    }

    /** Gradients [tokens, heads or kvHeads * headDim]. */
    record Gradients(INDArray q, INDArray k, INDArray v) {}

    /** [tokens, heads * headDim] to [kvHeads, group * tokens, headDim]. */
    private INDArray groupedHeads(INDArray tokens) {
        return grouped(splitHeads(tokens, spec.heads()));
    }

    private INDArray grouped(INDArray perHead) {
        return perHead.reshape(spec.kvHeads(), spec.heads() / spec.kvHeads() * queries, perHead.size(2));
    }

    private INDArray perHead(INDArray grouped) {
        return grouped.reshape(spec.heads(), queries, grouped.size(2));
    }

    /** [tokens, heads * headDim] to [heads, tokens, headDim]. */
    private INDArray splitHeads(INDArray tokens, int heads) {
        return tokens.reshape(tokens.size(0), heads, spec.headDim())
                .permute(1, 0, 2)
                .dup('c');
    }

    /** [heads, tokens, headDim] to [tokens, heads * headDim]. */
    private static INDArray joinHeads(INDArray perHead) {
        long width = perHead.size(0) * perHead.size(2);
        return perHead.permute(1, 0, 2).dup('c').reshape(perHead.size(1), width);
    }
}
