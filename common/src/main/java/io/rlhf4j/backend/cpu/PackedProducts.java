package io.rlhf4j.backend.cpu;

import io.rlhf4j.tensor.Tensor;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;

/**
 * Products with weights that were packed once for many of them. A weight as training keeps it is packed anew by each
 * product, which costs little beside many rows and as much as the product beside few. A processor that does not multiply
 * bf16 still reads packed weights in bf16, half the bytes, and makes them fp32 in its registers.
 */
final class PackedProducts {
    /** Rows whose sums stay in the processor's cache until they are rounded. */
    private static final int MOST_ROWS = 512;

    private static final int COMPARED_BUFFER = 4;
    private static final int PART_BUFFER = 5;

    /** Where fp32 sums of rows go: from byte {@code place} of {@code memory} on, {@code stride} numbers from row to row. */
    record Sums(NativeMemory memory, long place, long stride) {
        long address() {
            return memory.address() + place;
        }
    }

    /** How some rows are multiplied by a part of a weight. */
    private interface Way {
        void multiply(Rows x, int row, int rows, PackedWeight.Part part, Sums sums, Workspace workspace);
    }

    /** All that the bits of a product of few or many rows may depend on beside their number. */
    private record Size(int outputs, int inputs, boolean int8, boolean few) {}

    private final WorkerPool workers;
    private final MemoryPool memories;
    /**
     * Whether {@link FewRowsProduct}, {@link Int8FewRows} and {@link WidenedProduct} come to the bits of the way for any
     * number of rows: found out at the first product of a size, and where one does not, that way stays.
     */
    private final Map<Size, Boolean> sameBits = new ConcurrentHashMap<>();

    PackedProducts(WorkerPool workers, MemoryPool memories) {
        this.workers = workers;
        this.memories = memories;
    }

    /** {@code out = x weightᵀ + bias}; the bias may be null. A row of a result in bf16 depends on no other row. */
    void multiply(Tensor x, PackedWeight weight, Tensor bias, Tensor out) {
        if (x.type() != weight.type()) {
            throw new IllegalArgumentException(x + " times a packed weight of type " + weight.type());
        }
        Rows result = Rows.of(out);
        Rows biasRow = bias == null ? null : Rows.of(bias);
        try (Converted input = new Converted(workers, memories, x, weight.rows())) {
            Rows rows = input.rows();
            workers.run(weight.pieces().size(), (i, workspace) -> {
                PackedWeight.Piece piece = weight.pieces().get(i);
                if (result.isBf16()) {
                    rounded(rows, piece, biasRow, result, workspace);
                } else {
                    direct(rows, piece, biasRow, result, workspace);
                }
            });
        }
    }

    private void direct(Rows x, PackedWeight.Piece piece, Rows bias, Rows out, Workspace workspace) {
        int atOnce = piece.parts().size() == 1 ? Math.max(1, x.count) : MOST_ROWS;
        for (int row = 0; row < x.count; row += atOnce) {
            int rows = Math.min(atOnce, x.count - row);
            Sums sums = new Sums(out.memory, out.byteOffset(row, piece.first()), out.stride());
            multiply(x, row, rows, piece, sums, workspace);
        }
        if (bias == null) {
            return;
        }
        for (int row = 0; row < out.count; row++) {
            Span sum = workspace.input(0, out, row, piece.first(), piece.outputs());
            Pointwise.addTo(workspace.input(1, bias, 0, piece.first(), piece.outputs()), sum, piece.outputs());
        }
    }

    private void rounded(Rows x, PackedWeight.Piece piece, Rows bias, Rows out, Workspace workspace) {
        for (int row = 0; row < x.count; row += MOST_ROWS) {
            int rows = Math.min(MOST_ROWS, x.count - row);
            NativeMemory sums = workspace.buffer(0, 4L * rows * piece.outputs());
            multiply(x, row, rows, piece, new Sums(sums, 0, piece.outputs()), workspace);
            MatrixProducts.round(workspace, bias, out, row, piece.first(), rows, piece.outputs());
        }
    }

    /** The sums of some rows, part by part, and then by their scales. */
    private void multiply(Rows x, int row, int rows, PackedWeight.Piece piece, Sums sums, Workspace workspace) {
        multiply(x, row, rows, piece.parts().get(0), sums, workspace);
        int outputs = piece.outputs();
        for (PackedWeight.Part part : piece.parts().subList(1, piece.parts().size())) {
            NativeMemory more = workspace.buffer(PART_BUFFER, 4L * rows * outputs);
            multiply(x, row, rows, part, new Sums(more, 0, outputs), workspace);
            for (int i = 0; i < rows; i++) {
                Span sum = workspace.at(1, sums.memory, sums.place + 4 * i * sums.stride);
                Pointwise.addTo(workspace.at(2, more, 4L * i * outputs), sum, outputs);
            }
        }
        if (piece.scales() != null) {
            Span scales = workspace.at(2, piece.scales(), 0);
            for (int i = 0; i < rows; i++) {
                Span sum = workspace.at(1, sums.memory, sums.place + 4 * i * sums.stride);
                Pointwise.multiply(scales, sum, sum, outputs);
            }
        }
    }

    private void multiply(Rows x, int row, int rows, PackedWeight.Part part, Sums sums, Workspace workspace) {
        Way usual = part.int8() ? Int8Product::multiply : PackedProducts::multiplyByOneDnn;
        boolean few = part.int8() ? Int8FewRows.suits(rows, part) : FewRowsProduct.suits(rows, part);
        if (!few && !WidenedProduct.suits(rows, part)) {
            usual.multiply(x, row, rows, part, sums, workspace);
            return;
        }
        Way other = few ? fewRows(part) : WidenedProduct::multiply;
        Size size = new Size(part.outputs(), part.inputs(), part.int8(), few);
        Boolean same = sameBits.get(size);
        if (Boolean.TRUE.equals(same)) {
            other.multiply(x, row, rows, part, sums, workspace);
            return;
        }
        usual.multiply(x, row, rows, part, sums, workspace);
        if (same == null) {
            int outputs = part.outputs();
            NativeMemory compared = workspace.buffer(COMPARED_BUFFER, 4L * rows * outputs);
            other.multiply(x, row, rows, part, new Sums(compared, 0, outputs), workspace);
            ByteBuffer theirs = sums.memory.bytes(sums.place, 4 * outputs);
            boolean tells = IntStream.range(0, outputs).anyMatch(i -> theirs.getFloat(4 * i) != 0);
            if (tells) {
                sameBits.put(size, theirs.equals(compared.bytes(0, 4 * outputs)));
            }
        }
    }

    private static Way fewRows(PackedWeight.Part part) {
        return part.int8() ? Int8FewRows::multiply : FewRowsProduct::multiply;
    }

    private static void multiplyByOneDnn(
            Rows x, int row, int rows, PackedWeight.Part part, Sums sums, Workspace workspace) {
        ProductShape shape =
                ProductShape.ofPacked(rows, part.outputs(), part.inputs(), part.type(), x.stride(), sums.stride);
        workspace.product(shape).run(x.address(row, part.first()), part.memory().address(), sums.address());
    }
}
