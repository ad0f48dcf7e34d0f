package io.rlhf4j.backend.nd4j;

import static io.rlhf4j.backend.nd4j.NdStorage.floats;
import static io.rlhf4j.backend.nd4j.NdStorage.packed;
import static io.rlhf4j.backend.nd4j.NdStorage.store;

import io.rlhf4j.tensor.RotarySpec;
import io.rlhf4j.tensor.Tensor;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.factory.ops.NDBase;

/** Rows by their number: chosen, added to, and rotated by their position. */
final class NdRows {
    private static final NDBase OPERATIONS = new NDBase();

    private NdRows() {}

    /** The rows {@code indices} of {@code table}, in the table's type. */
    static INDArray gathered(INDArray table, int... indices) {
        return OPERATIONS.gather(table, Nd4j.createFromArray(indices), 0);
    }

    static void scatterAdd(Tensor rows, int[] indices, Tensor table) {
        INDArray sums = packed(table).dup('c');
        // its boolean argument is a lock: rows are added one after another, where threads would race for equal indices
        Nd4j.getExecutioner()
                .exec(DynamicCustomOp.builder("scatter_add")
                        .addInputs(sums, Nd4j.createFromArray(indices), packed(rows))
                        .addOutputs(sums)
                        .addBooleanArguments(true)
                        .build());
        store(sums, table);
    }

    static void rotate(RotarySpec rotary, Tensor x, int[] positions, boolean inverse) {
        int half = rotary.rotaryDims() / 2;
        INDArray heads = packed(x).dup('c').reshape(x.rows(), x.columns() / rotary.headDim(), rotary.headDim());
        INDArray first = rotary.interleaved() ? every(heads, 0, 2, half) : every(heads, 0, 1, half);
        INDArray second = rotary.interleaved() ? every(heads, 1, 2, half) : every(heads, half, 1, half);
        INDArray cos = gathered(floats(rotary.cos()), positions).reshape(x.rows(), 1, half);
        INDArray sin = gathered(floats(rotary.sin()), positions).reshape(x.rows(), 1, half);
        if (inverse) {
            sin.negi();
        }
        INDArray newFirst = first.mul(cos).sub(second.mul(sin));
        INDArray newSecond = second.mul(cos).add(first.mul(sin));
        first.assign(newFirst);
        second.assign(newSecond);
        store(heads.reshape(x.rows(), x.columns()), x);
    }

    /** A view of {@code count} columns of each head, {@code step} apart. */
    private static INDArray every(INDArray heads, int first, int step, int count) {
        long[] shape = {heads.size(0), heads.size(1), count};
        long[] strides = {heads.stride(0), heads.stride(1), step};
        return Nd4j.create(heads.data(), shape, strides, first, 'c');
    }
}
