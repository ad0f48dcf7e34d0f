package io.rlhf4j.backend.cuda;

/** The calls into cuBLASLt under their own names. Descriptors are longs, attributes are given by address and size. */
final class CublasLtApi {
    static final int COMPUTE_FP32 = 68;
    static final int TRANSPOSE_A = 3;
    static final int TRANSPOSE_B = 4;
    static final int EPILOGUE = 7;
    static final int BIAS_POINTER = 8;
    // What follows a product; they may be combined.
    static final int PLAIN = 0;
    static final int RELU = 2;
    static final int ADD_BIAS = 4;
    static final int MOST_WORKSPACE = 1;
    static final int REDUCTIONS = 3;
    /** Partial sums in fp32 in the workspace, added up in a fixed order. */
    static final int REDUCTION_IN_COMPUTE_TYPE = 2;

    static final int ALIGNMENT_OF_A = 5;
    static final int ALIGNMENT_OF_D = 8;
    /** Bytes of an algorithm's description, which begins a result of the heuristic. */
    static final int ALGORITHM_BYTES = 64;
    /** Bytes of a result of the heuristic. */
    static final int RESULT_BYTES = 96;

    private CublasLtApi() {}

    static native int cublasLtCreate(long[] handle);

    static native int cublasLtMatmulDescCreate(long[] description, int computeType, int scaleType);

    static native int cublasLtMatmulDescSetAttribute(long description, int attribute, long value, long bytes);

    static native int cublasLtMatrixLayoutCreate(long[] layout, int type, long rows, long columns, long stride);

    static native int cublasLtMatmulPreferenceCreate(long[] preference);

    static native int cublasLtMatmulPreferenceSetAttribute(long preference, int attribute, long value, long bytes);

    static native int cublasLtMatmulAlgoGetHeuristic(
            long handle,
            long description,
            long layoutA,
            long layoutB,
            long layoutC,
            long layoutD,
            long preference,
            int wanted,
            long results,
            int[] found);

    static native int cublasLtMatmul(
            long handle,
            long description,
            long alpha,
            long a,
            long layoutA,
            long b,
            long layoutB,
            long beta,
            long c,
            long layoutC,
            long d,
            long layoutD,
            long algorithm,
            long workspace,
            long workspaceBytes,
            long stream);
}
