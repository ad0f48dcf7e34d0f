package io.rlhf4j.backend.cuda;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import io.rlhf4j.tensor.Activation;
import io.rlhf4j.tensor.DType;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Matrix products by cuBLASLt, whose way of computing is chosen once for each shape, with the bias added before the result is
 * rounded. A row-major matrix is its transpose there, so {@code out = a b} is asked for as {@code outᵀ = bᵀ aᵀ}.
 */
final class PlannedProducts {
    private static final int ALIGNMENT = 16;

    /** What a plan depends on. */
    record Shape(
            DType type,
            DType outType,
            int rows,
            int columns,
            int inner,
            boolean transposeA,
            boolean transposeB,
            long strideA,
            long strideB,
            long strideOut,
            int epilogue) {
        static Shape of(Matrix a, boolean transposeA, Matrix b, boolean transposeB, int epilogue, Matrix out) {
            return new Shape(
                    a.type(),
                    out.type(),
                    out.rows(),
                    out.columns(),
                    transposeA ? a.rows() : a.columns(),
                    transposeA,
                    transposeB,
                    stride(a),
                    stride(b),
                    stride(out),
                    epilogue);
        }

        private static long stride(Matrix matrix) {
            return Math.max(matrix.stride(), matrix.columns());
        }
    }

    /** cuBLASLt's descriptions of a product, and the algorithm it chose. */
    private record Plan(long description, long layoutA, long layoutB, long layoutOut, Memory algorithm) {}

    private final Stream stream;
    private final long workspace;
    private final long workspaceBytes;
    private final long handle;
    private final Map<Shape, Optional<Plan>> plans = new HashMap<>();
    private final Memory value = new Memory(Long.BYTES);
    private final Memory factors = new Memory(2L * Float.BYTES);

    PlannedProducts(Stream stream, long workspace, long workspaceBytes) {
        this.stream = stream;
        this.workspace = workspace;
        this.workspaceBytes = workspaceBytes;
        factors.setFloat(0, 1f);
        factors.setFloat(Float.BYTES, 0f);
        long[] result = new long[1];
        Calls.library(CublasLtApi.cublasLtCreate(result), "cublasLtCreate");
        handle = result[0];
    }

    /** {@code out = op(a) op(b)}, or with {@code add} added to what is there; whether it could be done so. a and b are of one type. */
    boolean multiply(Matrix a, boolean transposeA, Matrix b, boolean transposeB, Matrix out, boolean add) {
        return multiply(a, transposeA, b, transposeB, CublasLtApi.PLAIN, null, add ? out : null, out);
    }

    /**
     * {@code out = f(x weightᵀ + residual + bias)}; whether it could be done so. All are of one type.
     *
     * @param bias may be null, like residual
     * @param f RELU, which is the same before and after rounding, or null
     */
    boolean linear(Matrix x, Matrix weight, Matrix bias, Activation f, Matrix residual, Matrix out) {
        boolean fits = x.type() == weight.type()
                && x.type() == out.type()
                && out.elements() > 0
                && (bias == null || bias.type() == out.type())
                && (residual == null || residual.type() == out.type() && residual.stride() == out.stride())
                && (f == null || f == Activation.RELU);
        int epilogue = (f == null ? CublasLtApi.PLAIN : CublasLtApi.RELU)
                | (bias == null ? CublasLtApi.PLAIN : CublasLtApi.ADD_BIAS);
        return fits && multiply(x, false, weight, true, epilogue, bias, residual, out);
    }

    /** @param added what is added to the product, laid out as {@code out}, or null */
    private boolean multiply(
            Matrix a,
            boolean transposeA,
            Matrix b,
            boolean transposeB,
            int epilogue,
            Matrix bias,
            Matrix added,
            Matrix out) {
        if (!a.isWide() || !b.isWide() || !out.isWide() || added != null && !added.isWide()) {
            return false;
        }
        Shape shape = Shape.of(a, transposeA, b, transposeB, epilogue, out);
        Plan plan = plans.computeIfAbsent(shape, this::plan).orElse(null);
        if (plan == null) {
            return false;
        }
        if (bias != null) {
            describe(plan.description, CublasLtApi.BIAS_POINTER, bias.address(), Long.BYTES);
        }
        long one = Pointer.nativeValue(factors);
        Calls.library(
                CublasLtApi.cublasLtMatmul(
                        handle,
                        plan.description,
                        one,
                        b.address(),
                        plan.layoutB,
                        a.address(),
                        plan.layoutA,
                        added == null ? one + Float.BYTES : one,
                        added == null ? out.address() : added.address(),
                        plan.layoutOut,
                        out.address(),
                        plan.layoutOut,
                        Pointer.nativeValue(plan.algorithm),
                        workspace,
                        workspaceBytes,
                        stream.handle()),
                "cublasLtMatmul");
        return true;
    }

    /** Empty where cuBLASLt knows no way. */
    private Optional<Plan> plan(Shape shape) {
        long[] result = new long[1];
        Calls.library(
                CublasLtApi.cublasLtMatmulDescCreate(result, CublasLtApi.COMPUTE_FP32, CublasApi.FP32),
                "cublasLtMatmulDescCreate");
        long description = result[0];
        describe(description, CublasLtApi.TRANSPOSE_A, shape.transposeB ? 1 : 0, Integer.BYTES);
        describe(description, CublasLtApi.TRANSPOSE_B, shape.transposeA ? 1 : 0, Integer.BYTES);
        if (shape.epilogue != CublasLtApi.PLAIN) {
            describe(description, CublasLtApi.EPILOGUE, shape.epilogue, Integer.BYTES);
        }
        long layoutA = layout(
                shape.type,
                shape.transposeA ? shape.rows : shape.inner,
                shape.transposeA ? shape.inner : shape.rows,
                shape.strideA);
        long layoutB = layout(
                shape.type,
                shape.transposeB ? shape.inner : shape.columns,
                shape.transposeB ? shape.columns : shape.inner,
                shape.strideB);
        long layoutOut = layout(shape.outType, shape.columns, shape.rows, shape.strideOut);
        Memory found = new Memory(CublasLtApi.RESULT_BYTES);
        int[] count = new int[1];
        int status = CublasLtApi.cublasLtMatmulAlgoGetHeuristic(
                handle,
                description,
                layoutB,
                layoutA,
                layoutOut,
                layoutOut,
                preference(),
                1,
                Pointer.nativeValue(found),
                count);
        return status == 0 && count[0] == 1
                ? Optional.of(new Plan(description, layoutA, layoutB, layoutOut, found))
                : Optional.empty();
    }

    private static long layout(DType type, long rows, long columns, long stride) {
        long[] result = new long[1];
        int cudaType = type == DType.BF16 ? CublasApi.BF16 : CublasApi.FP32;
        Calls.library(
                CublasLtApi.cublasLtMatrixLayoutCreate(result, cudaType, rows, columns, stride),
                "cublasLtMatrixLayoutCreate");
        return result[0];
    }

    private long preference() {
        long[] result = new long[1];
        Calls.library(CublasLtApi.cublasLtMatmulPreferenceCreate(result), "cublasLtMatmulPreferenceCreate");
        prefer(result[0], CublasLtApi.MOST_WORKSPACE, workspaceBytes, Long.BYTES);
        prefer(result[0], CublasLtApi.REDUCTIONS, CublasLtApi.REDUCTION_IN_COMPUTE_TYPE, Integer.BYTES);
        for (int matrix = CublasLtApi.ALIGNMENT_OF_A; matrix <= CublasLtApi.ALIGNMENT_OF_D; matrix++) {
            prefer(result[0], matrix, ALIGNMENT, Integer.BYTES);
        }
        return result[0];
    }

    private void describe(long description, int attribute, long number, long bytes) {
        value.setLong(0, number);
        Calls.library(
                CublasLtApi.cublasLtMatmulDescSetAttribute(description, attribute, Pointer.nativeValue(value), bytes),
                "cublasLtMatmulDescSetAttribute");
    }

    private void prefer(long preference, int attribute, long number, long bytes) {
        value.setLong(0, number);
        Calls.library(
                CublasLtApi.cublasLtMatmulPreferenceSetAttribute(
                        preference, attribute, Pointer.nativeValue(value), bytes),
                "cublasLtMatmulPreferenceSetAttribute");
    }
}
