package io.rlhf4j.backend.nd4j;

import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Storage;
import io.rlhf4j.tensor.Tensor;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** One flat INDArray, and the views that tensors are of it. */
final class NdStorage implements Storage {
    private final INDArray elements;
    private final long bytes;

    NdStorage(DType type, long length) {
        // an INDArray of no elements has no buffer to take views of
        this.elements = Nd4j.createUninitialized(dataType(type), Math.max(1, length));
        this.bytes = length * type.bytes();
    }

    @Override
    public long bytes() {
        return bytes;
    }

    @Override
    public void free() {
        elements.close();
    }

    private static DataType dataType(DType type) {
        return switch (type) {
            case FP32 -> DataType.FLOAT;
            case BF16 -> DataType.BFLOAT16;
        };
    }

    /** The tensor's own elements, in its type and shape: what is written here is written to the tensor. */
    static INDArray view(Tensor tensor) {
        NdStorage storage = (NdStorage) tensor.storage();
        int dimensions = tensor.dimensions();
        long[] shape = new long[dimensions];
        long[] strides = new long[dimensions];
        long stride = tensor.rowStride();
        for (int axis = dimensions - 1; axis >= 0; axis--) {
            shape[axis] = tensor.dimension(axis);
            strides[axis] = axis == dimensions - 1 ? 1 : stride;
            stride = axis == dimensions - 1 ? stride : stride * shape[axis];
        }
        return Nd4j.create(storage.elements.data(), shape, strides, tensor.offset(), 'c');
    }

    /** The tensor's elements as fp32: a view where it is fp32, a copy otherwise. Not for writing. */
    static INDArray floats(Tensor tensor) {
        return view(tensor).castTo(DataType.FLOAT);
    }

    /** As {@link #floats}, with the rows following each other: what matrix products and reshapes ask for. */
    static INDArray packed(Tensor tensor) {
        INDArray floats = floats(tensor);
        return tensor.isContiguous() ? floats : floats.dup('c');
    }

    /** Overwrites the tensor's elements, rounding to its type. */
    static void store(INDArray values, Tensor target) {
        view(target).assign(values);
    }

    /** Adds to the tensor's elements in fp32, then rounds to its type; a null target is not wanted. */
    static void accumulate(INDArray values, Tensor target) {
        if (target != null) {
            store(floats(target).add(values), target);
        }
    }
}
