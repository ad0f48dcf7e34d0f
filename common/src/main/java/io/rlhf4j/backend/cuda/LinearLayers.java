package io.rlhf4j.backend.cuda;

import io.rlhf4j.tensor.Activation;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;

/**
 * Linear layers, and the head, which is one. A few rows of bf16 go through a kernel that reads the weight at the rate of the
 * memory and does what follows in the same pass; more through cuBLAS. A weight of eight bits is widened for these.
 */
final class LinearLayers {
    private static final String FILE = "int8";

    private final Workbench bench;
    private final MatrixProducts products;
    private final FewRows fewRows;

    LinearLayers(Workbench bench, MatrixProducts products) {
        this.bench = bench;
        this.products = products;
        this.fewRows = new FewRows(bench);
    }

    /**
     * {@code out = residual + f(x weightᵀ + bias)}.
     *
     * @param weight as it is, or of {@link #packInt8}
     * @param f null for none, like bias and residual
     */
    void linear(Matrix x, Tensor weight, Matrix bias, Activation f, Matrix residual, Matrix out) {
        if (weight.storage() instanceof Int8Weight codes) {
            linear(x, codes, bias, f, residual, out);
            return;
        }
        Matrix factor = Matrix.of(weight);
        if (FewRows.takes(x, factor)) {
            fewRows.linear(x, factor, bias, f, residual, out);
            return;
        }
        products.linear(x, factor, bias, f, residual, out);
    }

    private void linear(Matrix x, Int8Weight weight, Matrix bias, Activation f, Matrix residual, Matrix out) {
        if (FewRows.takes(x)) {
            fewRows.linear(x, weight, bias, f, residual, out);
            return;
        }
        try (DeviceMemory memory = bench.memories().allocate(x.type().bytes() * weight.elements())) {
            Matrix wide = Matrix.in(memory, x.type(), weight.outputs(), weight.inputs());
            bench.stream()
                    .pass(weight.codes())
                    .pass(weight.scales())
                    .pass(wide.address())
                    .pass((long) weight.outputs())
                    .pass((long) weight.inputs())
                    .pass(Matrix.flags(wide))
                    .launch(
                            bench.kernels().get(FILE, "widenInt8"),
                            Kernel.blocksOfParts(weight.outputs(), weight.inputs()),
                            Kernel.THREADS);
            products.linear(x, wide, bias, f, residual, out);
        }
    }

    /** {@link io.rlhf4j.tensor.Backend#packInt8}: a byte for each weight, and a scale for each output. */
    Tensor packInt8(Scope scope, Tensor weight) {
        Matrix source = Matrix.of(weight);
        Int8Weight packed = new Int8Weight(bench.memories(), source.rows(), source.columns());
        bench.stream()
                .pass(source.address())
                .pass(source.stride())
                .pass(packed.codes())
                .pass(packed.scales())
                .pass(source.columns())
                .pass(Matrix.flags(source))
                .launch(bench.kernels().get(FILE, "roundToInt8"), source.rows(), Kernel.THREADS);
        return scope.hold(packed, weight.type(), weight.shape());
    }
}
