package io.rlhf4j.backend.cpu;

import io.rlhf4j.tensor.DType;

/**
 * Everything about a matrix product but the places of its matrices.
 *
 * @param m rows of the result
 * @param n columns of the result
 * @param k length of the sums
 * @param input type of both factors, or of a packed weight, which may meet rows of another type
 * @param output type of the result
 * @param transposeA the left factor lies as [k, m]
 * @param transposeB the right factor lies as [n, k]
 * @param strideA elements between rows of the left factor as it lies
 * @param strideB elements between rows of the right factor as it lies
 * @param strideOut elements between rows of the result
 * @param bias type of a row that is added to each row of the result, or null
 * @param add adds to the result instead of overwriting it
 * @param packed the right factor is a {@link PackedWeight}; its stride and transposition mean nothing
 */
record ProductShape(
        int m,
        int n,
        int k,
        DType input,
        DType output,
        boolean transposeA,
        boolean transposeB,
        long strideA,
        long strideB,
        long strideOut,
        DType bias,
        boolean add,
        boolean packed) {
    /** A product without bias. */
    static ProductShape of(
            int m,
            int n,
            int k,
            DType input,
            DType output,
            boolean transposeA,
            boolean transposeB,
            long strideA,
            long strideB,
            long strideOut,
            boolean add) {
        return new ProductShape(
                m, n, k, input, output, transposeA, transposeB, strideA, strideB, strideOut, null, add, false);
    }

    /** A product with a packed weight and a result in fp32. */
    static ProductShape ofPacked(int m, int n, int k, DType type, long strideA, long strideOut) {
        return new ProductShape(m, n, k, type, DType.FP32, false, false, strideA, n, strideOut, null, false, true);
    }
}
