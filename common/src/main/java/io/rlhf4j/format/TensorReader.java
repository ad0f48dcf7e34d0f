package io.rlhf4j.format;

import io.rlhf4j.tensor.Tensor;
import java.io.IOException;
import java.util.Map;

/**
 * Named tensors of one file or directory. Opening reads what describes them; elements are read when asked for, in pieces,
 * so that no tensor has to be held twice. May be used by several threads at once.
 *
 * <p>Every method that reads throws {@link io.rlhf4j.error.Rlhf4jException}, naming file and tensor, where the file is
 * damaged or has no such tensor, and {@link IOException} where it cannot be read at all.
 */
public interface TensorReader extends OpenFile {
    /** What messages call this: the file's or directory's path. */
    String origin();

    /** All tensors by name, in the order of the file. */
    Map<String, TensorInfo> tensors();

    /** Free text that came with the tensors (safetensors' {@code __metadata__}); empty where there is none. */
    Map<String, String> metadata();

    /** Whether there is a tensor of this name. */
    default boolean contains(String name) {
        return tensors().containsKey(name);
    }

    /** What is known of the tensor {@code name}. */
    TensorInfo info(String name);

    /** Receives elements in order, some at a time. */
    @FunctionalInterface
    interface FloatSink {
        /** Takes {@code values[0 .. count)}, the elements from {@code offset} on. The array is used again afterwards. */
        void accept(long offset, float[] values, int count) throws IOException;
    }

    /** Reads all elements of a floating-point tensor, converted to fp32 (fp64 rounds). */
    void read(String name, FloatSink sink) throws IOException;

    /** All elements of a floating-point tensor as fp32. */
    float[] readFloats(String name) throws IOException;

    /** All elements of a floating-point tensor as fp64. */
    double[] readDoubles(String name) throws IOException;

    /** All elements of an integer or boolean tensor. */
    long[] readLongs(String name) throws IOException;

    /**
     * Whether files that have to have hashes ({@link FileHashes}) have them is known when all of them is read: to be called
     * before anything that was read from them is used.
     *
     * @throws io.rlhf4j.error.Rlhf4jException of kind RETRYABLE where one has another
     */
    @Override
    void verify() throws IOException;

    /** Reads a floating-point tensor into {@code target}, contiguous, of as many elements; its own type is rounded to. */
    void read(String name, Tensor target) throws IOException;
}
