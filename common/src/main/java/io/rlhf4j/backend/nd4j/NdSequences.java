package io.rlhf4j.backend.nd4j;

import static io.rlhf4j.backend.nd4j.NdStorage.packed;
import static io.rlhf4j.backend.nd4j.NdStorage.store;
import static io.rlhf4j.backend.nd4j.NdStorage.view;

import io.rlhf4j.tensor.AttentionSpec;
import io.rlhf4j.tensor.Tensor;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Attention of packed batches, one sequence after the other; empty sequences have nothing to do. */
final class NdSequences {
    private NdSequences() {}

    static void attention(
            AttentionSpec spec, Tensor q, Tensor k, Tensor v, int[] starts, Tensor out, Tensor logSumExp) {
        for (int s = 0; s < starts.length - 1; s++) {
            int from = starts[s];
            int to = starts[s + 1];
            if (from < to) {
                NdAttention sequence = sequence(spec, q, k, v, from, to);
                INDArray sums = sequence.logSumExp();
                store(sequence.output(sums), out.slice(from, to));
                if (logSumExp != null) {
                    store(sums.reshape(spec.heads(), to - from), logSumExp.columns(from, to));
                }
            }
        }
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
        for (int s = 0; s < starts.length - 1; s++) {
            int from = starts[s];
            int to = starts[s + 1];
            if (from < to) {
                INDArray sums = packed(logSumExp.columns(from, to)).reshape(spec.heads(), to - from, 1);
                NdAttention.Gradients gradients =
                        sequence(spec, q, k, v, from, to).gradients(sums, packed(dOut.slice(from, to)));
                store(gradients.q(), dq.slice(from, to));
                store(gradients.k(), dk.slice(from, to));
                store(gradients.v(), dv.slice(from, to));
            }
        }
    }

    static void cached(
            AttentionSpec spec,
            Tensor q,
            Tensor keys,
            Tensor values,
            int[][] blocks,
            int blockSize,
            int[] lengths,
            int[] starts,
            Tensor out) {
        for (int s = 0; s < lengths.length; s++) {
            int from = starts[s];
            int to = starts[s + 1];
            if (from < to) {
                int[] rows = new int[lengths[s]];
                for (int p = 0; p < rows.length; p++) {
                    rows[p] = blocks[s][p / blockSize] * blockSize + p % blockSize;
                }
                NdAttention sequence = new NdAttention(
                        spec,
                        packed(q.slice(from, to)),
                        NdRows.gathered(view(keys), rows).castTo(DataType.FLOAT),
                        NdRows.gathered(view(values), rows).castTo(DataType.FLOAT));
                store(sequence.output(sequence.logSumExp()), out.slice(from, to));
            }
        }
    }

    private static NdAttention sequence(AttentionSpec spec, Tensor q, Tensor k, Tensor v, int from, int to) {
        return new NdAttention(spec, packed(q.slice(from, to)), packed(k.slice(from, to)), packed(v.slice(from, to)));
    }
}
