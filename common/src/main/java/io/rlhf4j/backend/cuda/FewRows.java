package io.rlhf4j.backend.cuda;

import io.rlhf4j.tensor.Activation;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Products of a few rows of bf16: see few_rows.cu. */
final class FewRows {
    /** From here on cuBLAS is faster. */
    static final int MOST_ROWS = 32;

    private static final String FILE = "few_rows";
    private static final int ROWS_OF_TILE = 8;
    private static final int OUTPUTS_OF_BLOCK = 16;
    private static final int INPUTS_OF_CHUNK = 64;
    private static final int WARP = 32;
    /** Blocks that fill a chip; with fewer of them each has more warps. */
    private static final int MANY_BLOCKS = 200;

    private static final int MOST_WARPS = 16;
    private static final int NO_ACTIVATION = -1;

    private final Workbench bench;
    private final Map<Variant, Kernel> variants = new HashMap<>();

    FewRows(Workbench bench) {
        this.bench = bench;
    }

    /** Whether there is a kernel for these rows, by an {@link Int8Weight}. */
    static boolean takes(Matrix x) {
        return x.rows() <= MOST_ROWS && x.columns() % INPUTS_OF_CHUNK == 0 && x.isBf16() && x.isWide();
    }

    /** Whether there is a kernel for these rows and this weight. */
    static boolean takes(Matrix x, Matrix weight) {
        return takes(x) && weight.isBf16() && weight.isWide();
    }

    /** {@code out = residual + f(x weightᵀ + bias)}; bias, f and residual may be null. */
    void linear(Matrix x, Matrix weight, Matrix bias, Activation f, Matrix residual, Matrix out) {
        bench.stream()
                .pass(x.address())
                .pass(x.stride())
                .pass(weight.address())
                .pass(weight.stride())
                .pass(0L);
        launch(x, weight.rows(), bias, f, residual, out, false);
    }

    /** {@link #linear(Matrix, Matrix, Matrix, Activation, Matrix, Matrix)} by a rounded weight. */
    void linear(Matrix x, Int8Weight weight, Matrix bias, Activation f, Matrix residual, Matrix out) {
        bench.stream()
                .pass(x.address())
                .pass(x.stride())
                .pass(weight.codes())
                .pass((long) weight.inputs())
                .pass(weight.scales());
        launch(x, weight.outputs(), bias, f, residual, out, true);
    }

    private void launch(Matrix x, int outputs, Matrix bias, Activation f, Matrix residual, Matrix out, boolean int8) {
        int blocks = (outputs + OUTPUTS_OF_BLOCK - 1) / OUTPUTS_OF_BLOCK;
        int warps = blocks < MANY_BLOCKS ? MOST_WARPS : MOST_WARPS / 2;
        int tiles = (x.rows() + ROWS_OF_TILE - 1) / ROWS_OF_TILE;
        bench.stream()
                .pass(Matrix.address(bias))
                .pass(Matrix.address(residual))
                .pass(residual == null ? 0L : residual.stride())
                .pass(out.address())
                .pass(out.stride())
                .pass(x.rows())
                .pass(outputs)
                .pass(x.columns())
                .pass(f == null ? NO_ACTIVATION : f.ordinal())
                .pass(Matrix.flags(bias, residual, out))
                .launch(kernel(new Variant(tiles, warps, int8)), blocks, WARP * warps);
    }

    /** What the kernel is compiled for: tiles of rows, warps of a block, the weight. */
    private record Variant(int tiles, int warps, boolean int8) {}

    private Kernel kernel(Variant variant) {
        return variants.computeIfAbsent(variant, wanted -> {
            String tiles = "TILES=" + wanted.tiles;
            String warps = "WARPS=" + wanted.warps;
            return bench.kernels()
                    .get(FILE, "fewRows", wanted.int8 ? List.of(tiles, warps, "INT8_WEIGHT") : List.of(tiles, warps));
        });
    }
}
