package io.rlhf4j.backend.cuda;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import io.rlhf4j.tensor.Activation;
import io.rlhf4j.tensor.DType;

/**
 * Matrix products by cuBLASLt, and by cuBLAS where rows do not begin at multiples of 16 bytes: bf16 by bf16 on tensor cores with fp32 sums, fp32 by fp32 without TF32. A row-major matrix is
 * its transpose to cuBLAS, so {@code out = a b} is asked for as {@code outᵀ = bᵀ aᵀ}.
 */
final class MatrixProducts {
    private static final long WORKSPACE = 32L << 20;

    private final Workbench bench;
    private final Transfers transfers;
    private final Pointwise pointwise;
    private final Memory factors = new Memory(2L * Float.BYTES);
    private final long one;
    private final long zero;
    private final long handle;
    private final PlannedProducts planned;

    MatrixProducts(Workbench bench, Transfers transfers, Pointwise pointwise) {
        this.bench = bench;
        this.transfers = transfers;
        this.pointwise = pointwise;
        factors.setFloat(0, 1f);
        factors.setFloat(Float.BYTES, 0f);
        one = Pointer.nativeValue(factors);
        zero = one + Float.BYTES;
        long[] result = new long[1];
        Calls.library(CublasApi.cublasCreate_v2(result), "cublasCreate");
        handle = result[0];
        Calls.library(CublasApi.cublasSetStream_v2(handle, bench.stream().handle()), "cublasSetStream");
        // A workspace of its own, or what a product adds up first would depend on the other work of the process.
        long workspace = bench.memories().allocate(WORKSPACE).address();
        planned = new PlannedProducts(bench.stream(), workspace, WORKSPACE);
        Calls.library(CublasApi.cublasSetWorkspace_v2(handle, workspace, WORKSPACE), "cublasSetWorkspace");
        Calls.library(CublasApi.cublasSetMathMode(handle, CublasApi.FULL_PRECISION_REDUCTION), "cublasSetMathMode");
    }

    /** cuBLAS's version, as {@code 13.0.2}. */
    String version() {
        int[] version = new int[1];
        Calls.library(CublasApi.cublasGetVersion_v2(handle, version), "cublasGetVersion");
        return "%d.%d.%d".formatted(version[0] / 10_000, version[0] / 100 % 100, version[0] % 100);
    }

    /** {@code out = residual + f(x weightᵀ + bias)}; bias, f and residual may be null. */
    void linear(Matrix x, Matrix weight, Matrix bias, Activation f, Matrix residual, Matrix out) {
        boolean oneOrTheOther = f == null || residual == null;
        if (oneOrTheOther && planned.linear(x, weight, bias, f, residual, out)) {
            return;
        }
        if (!planned.linear(x, weight, bias, null, null, out)) {
            multiply(x, false, weight, true, out, false);
            if (bias != null) {
                pointwise.addBias(bias, out);
            }
        }
        if (f != null) {
            pointwise.activate(f, out, out);
        }
        if (residual != null) {
            pointwise.add(residual, out, out);
        }
    }

    /** {@code out = op(a) op(b)}, or added to it. */
    void multiply(Matrix a, boolean transposeA, Matrix b, boolean transposeB, Matrix out, boolean add) {
        if (out.elements() == 0) {
            return;
        }
        if (a.elements() == 0) {
            if (!add) {
                transfers.fill(out, 0f);
            }
            return;
        }
        boolean native16 = a.isBf16() && b.isBf16();
        boolean native32 = !a.isBf16() && !b.isBf16() && !out.isBf16();
        if (native16 || native32) {
            product(a, transposeA, b, transposeB, out, add);
            return;
        }
        // What is of two types is multiplied in fp32.
        try (DeviceMemory left = bench.memories().allocate(4L * a.elements());
                DeviceMemory right = bench.memories().allocate(4L * b.elements());
                DeviceMemory result = bench.memories().allocate(4L * out.elements())) {
            Matrix wideOut = out.isBf16() ? Matrix.in(result, DType.FP32, out.rows(), out.columns()) : out;
            if (add && out.isBf16()) {
                transfers.copy(out, wideOut);
            }
            product(widened(a, left), transposeA, widened(b, right), transposeB, wideOut, add);
            if (out.isBf16()) {
                transfers.copy(wideOut, out);
            }
        }
    }

    private Matrix widened(Matrix matrix, DeviceMemory memory) {
        if (!matrix.isBf16()) {
            return matrix;
        }
        Matrix wide = Matrix.in(memory, DType.FP32, matrix.rows(), matrix.columns());
        transfers.copy(matrix, wide);
        return wide;
    }

    private void product(Matrix a, boolean transposeA, Matrix b, boolean transposeB, Matrix out, boolean add) {
        if (planned.multiply(a, transposeA, b, transposeB, out, add)) {
            return;
        }
        Calls.library(
                CublasApi.cublasGemmEx(
                        handle,
                        transposeB ? CublasApi.TRANSPOSED : CublasApi.AS_IT_IS,
                        transposeA ? CublasApi.TRANSPOSED : CublasApi.AS_IT_IS,
                        out.columns(),
                        out.rows(),
                        transposeA ? a.rows() : a.columns(),
                        one,
                        b.address(),
                        type(b),
                        stride(b),
                        a.address(),
                        type(a),
                        stride(a),
                        add ? one : zero,
                        out.address(),
                        type(out),
                        stride(out),
                        CublasApi.COMPUTE_FP32,
                        CublasApi.DEFAULT_ALGORITHM),
                "cublasGemmEx");
    }

    private static int type(Matrix matrix) {
        return matrix.isBf16() ? CublasApi.BF16 : CublasApi.FP32;
    }

    private static int stride(Matrix matrix) {
        return Math.toIntExact(Math.max(matrix.stride(), matrix.columns()));
    }
}
