package io.rlhf4j.backend.cuda;

/** The calls into cuBLAS under their own names. Matrices lie there column by column. */
final class CublasApi {
    static final int AS_IT_IS = 0;
    static final int TRANSPOSED = 1;
    static final int FP32 = 0;
    static final int BF16 = 14;
    /** fp32 accumulation, and fp32 products without TF32. */
    static final int COMPUTE_FP32 = 68;
    /** Partial sums of a bf16 product stay fp32. */
    static final int FULL_PRECISION_REDUCTION = 16;

    static final int DEFAULT_ALGORITHM = -1;

    private CublasApi() {}

    static native int cublasCreate_v2(long[] handle);

    static native int cublasGetVersion_v2(long handle, int[] version);

    static native int cublasSetStream_v2(long handle, long stream);

    static native int cublasSetWorkspace_v2(long handle, long workspace, long bytes);

    static native int cublasSetMathMode(long handle, int mode);

    static native int cublasGemmEx(
            long handle,
            int transposeA,
            int transposeB,
            int m,
            int n,
            int k,
            long alpha,
            long a,
            int typeA,
            int strideA,
            long b,
            int typeB,
            int strideB,
            long beta,
            long c,
            int typeC,
            int strideC,
            int computeType,
            int algorithm);
}
