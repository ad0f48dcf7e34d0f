package io.rlhf4j.backend.cpu;

import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;

/**
 * Matrix products: cut into the pieces of a {@link ProductGrid}, each a oneDNN product on one thread. The sums over k are
 * never cut, so no piece waits for another and nothing is added in an order that varies.
 */
final class MatrixProducts {
    /** Bytes after which addresses fall into the same line of a first-level cache again: 64 lines of 64 bytes. */
    private static final int CACHE_WAY = 4096;

    /** Elements between copied rows. */
    private static final int APART = 16;

    /** From so many rows, or columns, of the result on, copying a piece of the other factor costs little beside the product. */
    private static final int WORTH_COPYING = 128;

    private static final int LEFT_BUFFER = 0;
    private static final int RIGHT_BUFFER = 1;

    /** Bytes of such a copy at most: each thread keeps its own. */
    private static final long MOST_COPIED = 32L << 20;

    private final WorkerPool workers;
    private final MemoryPool memories;
    private final boolean multipliesBf16;
    private final ProductRules rules;
    private final WeightPacking packing;
    private final PackedProducts packed;

    MatrixProducts(WorkerPool workers, MemoryPool memories, OneDnn oneDnn) {
        this.workers = workers;
        this.memories = memories;
        this.multipliesBf16 = oneDnn.multipliesBf16();
        this.rules = oneDnn.rules();
        this.packing = new WeightPacking(workers, memories, oneDnn);
        this.packed = new PackedProducts(workers, memories);
    }

    /** A weight [out, in] in the layout that products with few rows read fastest; itself where there is none. */
    Tensor packed(Scope scope, Tensor weight) {
        return packing.gains(weight.type()) ? scope.hold(packing.pack(weight), weight.type(), weight.shape()) : weight;
    }

    /** Whether a weight [out, in] rounded to int8 can be multiplied as such. */
    boolean packsInt8(Tensor weight) {
        return packing.packsInt8(weight.columns());
    }

    /** A weight [out, in] rounded to int8 and laid out for products. */
    Tensor packedInt8(Scope scope, Tensor weight) {
        return scope.hold(packing.packInt8(weight), weight.type(), weight.shape());
    }

    /** The type in which two factors are multiplied. */
    DType productType(DType a, DType b) {
        return multipliesBf16 && a == DType.BF16 && b == DType.BF16 ? DType.BF16 : DType.FP32;
    }

    /** {@code out (+)= op(a) op(b) + bias}; the bias may be null. */
    void multiply(Tensor a, boolean transposeA, Tensor b, boolean transposeB, Tensor bias, Tensor out, boolean add) {
        int m = transposeA ? a.columns() : a.rows();
        int k = transposeA ? a.rows() : a.columns();
        int n = transposeB ? b.rows() : b.columns();
        if (m == 0 || n == 0) {
            return;
        }
        if (b.storage() instanceof PackedWeight weight) {
            if (transposeA || !transposeB || add) {
                throw new IllegalArgumentException("a packed weight is for linear layers and logits alone: " + b);
            }
            packed.multiply(a, weight, bias, out);
            return;
        }
        if (k == 0) {
            throw new IllegalArgumentException("a product over no elements: " + a + " times " + b);
        }
        DType type = productType(a.type(), b.type());
        try (Converted left = new Converted(workers, memories, a, type);
                Converted right = new Converted(workers, memories, b, type)) {
            boolean direct = type == DType.BF16 || out.type() == DType.FP32;
            if (direct && (bias == null || type == DType.BF16 || bias.type() == DType.FP32)) {
                run(left.rows(), transposeA, right.rows(), transposeB, bias, Rows.of(out), m, n, k, add);
            } else {
                throughFp32(left.rows(), transposeA, right.rows(), transposeB, bias, out, m, n, k, add);
            }
        }
    }

    /** The result, or the bias, is of a type that an fp32 product cannot take: compute in fp32 and convert. */
    private void throughFp32(
            Rows a,
            boolean transposeA,
            Rows b,
            boolean transposeB,
            Tensor bias,
            Tensor out,
            int m,
            int n,
            int k,
            boolean add) {
        NativeMemory result = memories.allocate(4L * m * n);
        try {
            Tensor wide = Tensor.of(out.backend(), result, DType.FP32, 0, m, n);
            Rows wideRows = Rows.of(wide);
            run(a, transposeA, b, transposeB, null, wideRows, m, n, k, false);
            Rows target = Rows.of(out);
            Rows biasRow = bias == null ? null : Rows.of(bias);
            workers.forRanges(m, grain(n), (from, to, workspace) -> {
                for (int row = from; row < to; row++) {
                    Span sum = workspace.input(0, wideRows, row, 0, n);
                    if (biasRow != null) {
                        Pointwise.addTo(workspace.input(1, biasRow, 0, 0, n), sum, n);
                    }
                    if (add) {
                        Pointwise.addTo(workspace.input(1, target, row, 0, n), sum, n);
                    }
                    Span place = workspace.output(2, target, row, 0, n);
                    Lanes.copy(sum.memory, sum.offset, place.memory, place.offset, n);
                    place.finish();
                }
            });
        } finally {
            result.free();
        }
    }

    /** Rows of so many columns that are worth a thread's attention. */
    static int grain(int columns) {
        return Math.max(1, 32_768 / Math.max(1, columns));
    }

    private void run(
            Rows a,
            boolean transposeA,
            Rows b,
            boolean transposeB,
            Tensor bias,
            Rows out,
            int m,
            int n,
            int k,
            boolean add) {
        Rows biasRow = bias == null ? null : Rows.of(bias);
        // In a forward pass a row must not depend on the rows beside it. Where the result is bf16, the order of
        // oneDNN's
        // sums depends on their number; where it is fp32, it does not: such products are rounded here.
        boolean roundedHere = a.type == DType.BF16 && out.type == DType.BF16 && !transposeA && transposeB && !add;
        ProductGrid grid = ProductGrid.of(m, n, k, workers.threads(), rules.pieceColumns());
        workers.run(grid.pieces(), (piece, workspace) -> {
            int row = grid.row(piece);
            int column = grid.column(piece);
            int rowsHere = Math.min(grid.pieceRows(), m - row);
            int columnsHere = Math.min(grid.pieceColumns(), n - column);
            if (roundedHere) {
                rounded(a, b, biasRow, out, row, column, rowsHere, columnsHere, k, workspace);
                return;
            }
            boolean laidOut = rules.laysOutFactors(a.type, transposeB, rowsHere, columnsHere, k);
            boolean leftApart = transposeA && !laidOut && columnsHere >= WORTH_COPYING && crowded(a, k, rowsHere);
            boolean rightApart = !transposeB && !laidOut && rowsHere >= WORTH_COPYING && crowded(b, k, columnsHere);
            ProductShape shape = new ProductShape(
                    rowsHere,
                    columnsHere,
                    k,
                    a.type,
                    out.type,
                    transposeA,
                    transposeB,
                    leftApart ? rowsHere + APART : a.stride(),
                    rightApart ? columnsHere + APART : b.stride(),
                    out.stride(),
                    biasRow == null ? null : biasRow.type,
                    add,
                    false);
            Product product = workspace.product(shape);
            long left = transposeA ? a.address(0, row) : a.address(row, 0);
            long right = transposeB ? b.address(column, 0) : b.address(0, column);
            if (leftApart) {
                left = apart(a, k, row, rowsHere, workspace, LEFT_BUFFER).address();
            }
            if (rightApart) {
                right = apart(b, k, column, columnsHere, workspace, RIGHT_BUFFER)
                        .address();
            }
            if (biasRow == null) {
                product.run(left, right, out.address(row, column));
            } else {
                product.run(left, right, biasRow.address(0, column), out.address(row, column));
            }
        });
    }

    /**
     * Whether the rows of a factor whose sums run over its rows all fall into the same few lines of a core's first cache:
     * products take two to four times the time then.
     */
    private static boolean crowded(Rows factor, int k, int columns) {
        int size = factor.type.bytes();
        return factor.stride() * size % CACHE_WAY == 0 && (long) size * k * (columns + APART) <= MOST_COPIED;
    }

    /** Columns of a factor with rows that fall into different lines. */
    private static NativeMemory apart(Rows factor, int k, int column, int columns, Workspace workspace, int slot) {
        int size = factor.type.bytes();
        NativeMemory copy = workspace.buffer(slot, (long) size * k * (columns + APART));
        for (int row = 0; row < k; row++) {
            long from = factor.byteOffset(row, column);
            long to = (long) size * row * (columns + APART);
            Object source = factor.memory.window(from);
            Object target = copy.window(to);
            if (factor.isBf16()) {
                Conversion.copyBf16(source, NativeMemory.inWindow(from), target, NativeMemory.inWindow(to), columns);
            } else {
                Lanes.copy(source, NativeMemory.inWindow(from), target, NativeMemory.inWindow(to), columns);
            }
        }
        return copy;
    }

    /** A piece of {@code a bᵀ + bias} in bf16, by way of fp32 sums. */
    private static void rounded(
            Rows a,
            Rows b,
            Rows bias,
            Rows out,
            int row,
            int column,
            int rowsHere,
            int columnsHere,
            int k,
            Workspace workspace) {
        NativeMemory sums = workspace.buffer(0, 4L * rowsHere * columnsHere);
        ProductShape shape = ProductShape.of(
                rowsHere,
                columnsHere,
                k,
                DType.BF16,
                DType.FP32,
                false,
                true,
                a.stride(),
                b.stride(),
                columnsHere,
                false);
        workspace.product(shape).run(a.address(row, 0), b.address(column, 0), sums.address());
        round(workspace, bias, out, row, column, rowsHere, columnsHere);
    }

    /** Adds the bias, if there is one, to sums in buffer 0 and rounds them to a piece of {@code out}, which is bf16. */
    static void round(Workspace workspace, Rows bias, Rows out, int row, int column, int rowsHere, int columnsHere) {
        for (int i = 0; i < rowsHere; i++) {
            Span sum = workspace.floatsAt(0, (long) i * columnsHere);
            if (bias != null) {
                Pointwise.addTo(workspace.input(1, bias, 0, column, columnsHere), sum, columnsHere);
            }
            long place = out.byteOffset(row + i, column);
            Conversion.narrow(
                    sum.memory, sum.offset, out.memory.window(place), NativeMemory.inWindow(place), columnsHere);
        }
    }
}
