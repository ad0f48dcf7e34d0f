package io.rlhf4j.backend.cpu;

import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Tensor;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;

/**
 * Products with weights that were packed once for many of them. A weight as training keeps it is packed anew by each
 * product, which costs little beside many rows and as much as the product beside few. A processor that does not multiply
 * bf16 still reads packed weights in bf16, half the bytes, and makes them fp32 in its registers.
 */
final class PackedProducts {
    /** A weight with so few elements is not worth a second thread. */
    private static final int SMALL = 1 << 16;

    private static final int COLUMN_STEP = 64;
    /** Rows whose sums stay in the processor's cache until they are rounded. */
    private static final int MOST_ROWS = 512;

    /** Longer sums are cut: oneDNN would, at a place that it does not tell, and no other code could come to its bits. */
    private static final int MOST_INPUTS = 1024;

    private static final int COMPARED_BUFFER = 4;
    private static final int PART_BUFFER = 5;

    /** Where fp32 sums of rows go: from byte {@code place} of {@code memory} on, {@code stride} numbers from row to row. */
    record Sums(NativeMemory memory, long place, long stride) {
        long address() {
            return memory.address() + place;
        }
    }

    /** All that the bits of a product of few or many rows may depend on beside their number. */
    private record Size(int outputs, int inputs, boolean few) {}

    private final WorkerPool workers;
    private final MemoryPool memories;
    private final OneDnn oneDnn;
    /**
     * Whether {@link FewRowsProduct} and {@link WidenedProduct} come to the bits of oneDNN's product with bf16: found out
     * at the first product of a size, and where one does not, oneDNN's way stays.
     */
    private final Map<Size, Boolean> sameBits = new ConcurrentHashMap<>();

    PackedProducts(WorkerPool workers, MemoryPool memories, OneDnn oneDnn) {
        this.workers = workers;
        this.memories = memories;
        this.oneDnn = oneDnn;
    }

    /** Whether products are faster with packed weights of this type. */
    boolean gains(DType type) {
        return oneDnn.packs(type);
    }

    /** {@code weight} [out, in] in oneDNN's layout. */
    PackedWeight pack(Tensor weight) {
        int outputs = weight.rows();
        int inputs = weight.columns();
        Rows source = Rows.of(weight);
        int wanted = weight.elements() < SMALL ? 1 : workers.threads();
        int size = (outputs + wanted * COLUMN_STEP - 1) / (wanted * COLUMN_STEP) * COLUMN_STEP;
        int count = (outputs + size - 1) / size;
        List<PackedWeight.Piece> pieces = IntStream.range(0, count)
                .mapToObj(i -> piece(source.type, i * size, Math.min(size, outputs - i * size), inputs))
                .toList();
        workers.run(count, (i, workspace) -> {
            PackedWeight.Piece piece = pieces.get(i);
            for (PackedWeight.Part part : piece.parts()) {
                if (part.block() > 0) {
                    Bf16Packing.pack(source, piece.first(), part);
                } else {
                    oneDnn.pack(
                            part.type(),
                            part.outputs(),
                            part.inputs(),
                            source.stride(),
                            source.address(piece.first(), part.first()),
                            part.memory().address());
                }
            }
        });
        return new PackedWeight(source.type, pieces);
    }

    private PackedWeight.Piece piece(DType type, int first, int outputs, int inputs) {
        // Where bf16 is made fp32 inside the product, oneDNN has only a plain loop to lay it out.
        boolean fp32Inside = oneDnn.typeBesidePacked(type) != type;
        int size = fp32Inside ? MOST_INPUTS : inputs;
        List<PackedWeight.Part> parts = new ArrayList<>();
        for (int input = 0; input < inputs; input += size) {
            int length = Math.min(size, inputs - input);
            int block = fp32Inside ? oneDnn.packedBlock(type, outputs, length) : 0;
            boolean widens = WidenedProduct.fits(oneDnn, outputs, length, block);
            NativeMemory memory = memories.allocate(oneDnn.packedBytes(type, outputs, length));
            parts.add(new PackedWeight.Part(type, input, outputs, length, block, widens, memory));
        }
        return new PackedWeight.Piece(first, outputs, parts);
    }

    /** {@code out = x weightᵀ + bias}; the bias may be null. A row of a result in bf16 depends on no other row. */
    void multiply(Tensor x, PackedWeight weight, Tensor bias, Tensor out) {
        if (x.type() != weight.type()) {
            throw new IllegalArgumentException(x + " times a packed weight of type " + weight.type());
        }
        Rows result = Rows.of(out);
        Rows biasRow = bias == null ? null : Rows.of(bias);
        try (Converted input = new Converted(workers, memories, x, oneDnn.typeBesidePacked(weight.type()))) {
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

    /** The sums of some rows, part by part. */
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
    }

    private void multiply(Rows x, int row, int rows, PackedWeight.Part part, Sums sums, Workspace workspace) {
        boolean few = FewRowsProduct.suits(rows, part);
        if (!few && !WidenedProduct.suits(rows, part)) {
            multiplyByOneDnn(x, row, rows, part, sums, workspace);
            return;
        }
        Size size = new Size(part.outputs(), part.inputs(), few);
        Boolean same = sameBits.get(size);
        if (Boolean.TRUE.equals(same)) {
            multiplyOtherwise(few, x, row, rows, part, sums, workspace);
            return;
        }
        multiplyByOneDnn(x, row, rows, part, sums, workspace);
        if (same == null) {
            int outputs = part.outputs();
            NativeMemory compared = workspace.buffer(COMPARED_BUFFER, 4L * rows * outputs);
            multiplyOtherwise(few, x, row, rows, part, new Sums(compared, 0, outputs), workspace);
            ByteBuffer theirs = sums.memory.bytes(sums.place, 4 * outputs);
            boolean tells = IntStream.range(0, outputs).anyMatch(i -> theirs.getFloat(4 * i) != 0);
            if (tells) {
                sameBits.put(size, theirs.equals(compared.bytes(0, 4 * outputs)));
            }
        }
    }

    private static void multiplyOtherwise(
            boolean few, Rows x, int row, int rows, PackedWeight.Part part, Sums sums, Workspace workspace) {
        if (few) {
            FewRowsProduct.multiply(x, row, rows, part, sums, workspace);
        } else {
            WidenedProduct.multiply(x, row, rows, part, sums, workspace);
        }
    }

    private static void multiplyByOneDnn(
            Rows x, int row, int rows, PackedWeight.Part part, Sums sums, Workspace workspace) {
        ProductShape shape =
                ProductShape.ofPacked(rows, part.outputs(), part.inputs(), part.type(), x.stride(), sums.stride);
        workspace.product(shape).run(x.address(row, part.first()), part.memory().address(), sums.address());
    }
}
