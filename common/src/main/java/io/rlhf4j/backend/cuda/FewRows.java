package io.rlhf4j.backend.cuda;

import io.rlhf4j.tensor.Activation;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Products of a few rows of bf16: see few_rows.cu. */
final class FewRows {
    /** With more of them cuBLAS is faster; by rounded weights it has nothing to offer. */
    private static final int MOST_ROWS = 16;

    private static final int MOST_ROWS_OF_INT8 = 32;

    private static final String FILE = "few_rows";
    private static final int ROWS_OF_TILE = 8;
    private static final int OUTPUTS_OF_BLOCK = 16;
    private static final int INPUTS_OF_CHUNK = 64;
    private static final int WARP = 32;
    private static final int MOST_WARPS = 16;
    private static final int NO_ACTIVATION = -1;

    private final Workbench bench;
    private final Map<Variant, Kernel> variants = new HashMap<>();

    FewRows(Workbench bench) {
        this.bench = bench;
    }

    /** Whether there is a kernel for these rows, by an {@link Int8Weight}. */
    static boolean takes(Matrix x) {
        return takes(x, MOST_ROWS_OF_INT8);
    }

    /** Whether there is a kernel for these rows and this weight. */
    static boolean takes(Matrix x, Matrix weight) {
        return takes(x, MOST_ROWS) && weight.isBf16() && weight.isWide();
    }

    private static boolean takes(Matrix x, int mostRows) {
        return x.rows() <= mostRows && x.columns() % INPUTS_OF_CHUNK == 0 && x.isBf16() && x.isWide();
    }

    /** {@code out = residual + f(x weightᵀ + bias)}; bias, f and residual may be null. */
    void linear(Matrix x, Matrix weight, Matrix bias, Activation f, Matrix residual, Matrix out) {
        bench.stream()
                .pass(x.address())
                .pass(x.stride())
                .pass(weight.address())
                .pass(weight.stride())
                .pass(0L);
        passNext(weight.address(), weight.type().bytes() * weight.elements());
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
        passNext(weight.codes(), weight.elements());
        launch(x, weight.outputs(), bias, f, residual, out, true);
    }

    private void passNext(long address, long bytes) {
        ReadAhead.Weight next = bench.readAhead().after(address, bytes);
        bench.stream().pass(next.address()).pass(next.bytes());
    }

    private void launch(Matrix x, int outputs, Matrix bias, Activation f, Matrix residual, Matrix out, boolean int8) {
        int blocks = (outputs + OUTPUTS_OF_BLOCK - 1) / OUTPUTS_OF_BLOCK;
        int tiles = (x.rows() + ROWS_OF_TILE - 1) / ROWS_OF_TILE;
        Variant variant = variant(tiles, blocks, int8);
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
                .launch(variants.computeIfAbsent(variant, this::compiled), blocks, WARP * variant.warps);
    }

    /** What the kernel is compiled for: tiles of rows, warps of a block, blocks of a multiprocessor, the weight. */
    private record Variant(int tiles, int warps, int blocks, boolean int8) {}

    /** All blocks at once, if that can be, and as many warps as then have room. */
    private Variant variant(int tiles, int blocks, boolean int8) {
        int ofMultiprocessor = -Math.floorDiv(-blocks, bench.multiprocessors());
        if (ofMultiprocessor <= 1) {
            return new Variant(tiles, MOST_WARPS, 1, int8);
        }
        int most = tiles <= 2 ? 4 : 2;
        return new Variant(tiles, MOST_WARPS / 2, Math.min(most, Math.max(ofMultiprocessor, most - 1)), int8);
    }

    private Kernel compiled(Variant variant) {
        List<String> definitions = new ArrayList<>(
                List.of("TILES=" + variant.tiles, "WARPS=" + variant.warps, "BLOCKS=" + variant.blocks));
        if (variant.int8) {
            definitions.add("INT8_WEIGHT");
        }
        return bench.kernels().get(FILE, "fewRows", definitions);
    }
}
