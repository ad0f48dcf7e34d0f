package io.rlhf4j.backend.nd4j;

import static io.rlhf4j.backend.nd4j.NdScratch.PART;
import static io.rlhf4j.backend.nd4j.NdStorage.packed;
import static io.rlhf4j.backend.nd4j.NdStorage.store;
import static io.rlhf4j.backend.nd4j.NdStorage.view;

import io.rlhf4j.tensor.AttentionSpec;
import io.rlhf4j.tensor.CachedTokens;
import io.rlhf4j.tensor.Tensor;
import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Attention of packed batches, one sequence after the other. */
final class NdSequences {
    private NdSequences() {}

    /** What is done with tokens {@code from} to {@code to} (exclusive), sequence {@code index}. */
    private interface Sequence {
        void compute(int index, int from, int to);
    }

    /** Empty sequences have nothing to do. */
    private static void each(int[] starts, Sequence sequence) {
        for (int s = 0; s < starts.length - 1; s++) {
            int index = s;
            if (starts[index] < starts[index + 1]) {
                PART.run(() -> sequence.compute(index, starts[index], starts[index + 1]));
            }
        }
    }

    static void attention(
            AttentionSpec spec, Tensor q, Tensor k, Tensor v, int[] starts, Tensor out, Tensor logSumExp) {
        each(starts, (index, from, to) -> {
            NdAttention attention = attention(spec, q, k, v, from, to);
            INDArray sums = attention.logSumExp();
            store(attention.output(sums), out.slice(from, to));
            if (logSumExp != null) {
                store(sums.reshape(spec.heads(), to - from), logSumExp.columns(from, to));
            }
        });
    }

    static void backward(
            AttentionSpec spec,
            Tensor q,
            Tensor k,
            Tensor v,
            int[] starts,
            Tensor logSumExp,
            Tensor dOut,
            Tensor dq,
            Tensor dk,
            Tensor dv) {
        each(starts, (index, from, to) -> {
            INDArray sums = packed(logSumExp.columns(from, to)).reshape(spec.heads(), to - from, 1);
            NdAttention.Gradients gradients =
                    attention(spec, q, k, v, from, to).gradients(sums, packed(dOut.slice(from, to)));
            store(gradients.q(), dq.slice(from, to));
            store(gradients.k(), dk.slice(from, to));
            store(gradients.v(), dv.slice(from, to));
        });
    }

    static void cached(AttentionSpec spec, Tensor q, Tensor keys, Tensor values, CachedTokens tokens, Tensor out) {
        each(tokens.starts(), (index, from, to) -> {
            int[] rows = new int[tokens.lengths()[index]];
            Arrays.setAll(rows, position -> tokens.row(index, position));
            NdAttention attention = new NdAttention(
                    spec,
                    packed(q.slice(from, to)),
                    NdRows.gathered(view(keys), rows).castTo(DataType.FLOAT),
                    NdRows.gathered(view(values), rows).castTo(DataType.FLOAT));
            store(attention.output(attention.logSumExp()), out.slice(from, to));
        });
    }

    private static NdAttention attention(AttentionSpec spec, Tensor q, Tensor k, Tensor v, int from, int to) {
        return new NdAttention(spec, packed(q.slice(from, to)), packed(k.slice(from, to)), packed(v.slice(from, to)));
    }
}
