package io.rlhf4j.backend.cpu;

import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Tensor;
import java.nio.ByteBuffer;
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
    /** Rows whose sums stay in a core's cache until they are rounded. */
    private static final int MOST_ROWS = 128;

    private static final int COMPARED_BUFFER = 4;

    /** All that oneDNN's way through a piece may depend on beside the number of rows. */
    private record Size(int outputs, int inputs) {}

    private final WorkerPool workers;
    private final MemoryPool memories;
    private final OneDnn oneDnn;
    /**
     * Whether {@link FewRowsProduct} comes to the bits of oneDNN, which cuts long sums at a place that it does not tell:
     * found out at the first product of a size, and where it does not, oneDNN's way stays.
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
            if (piece.block() > 0) {
                Bf16Packing.pack(source, piece);
            } else {
                oneDnn.pack(
                        source.type,
                        piece.outputs(),
                        inputs,
                        source.stride(),
                        source.address(piece.first(), 0),
                        piece.memory().address());
            }
        });
        return new PackedWeight(inputs, source.type, pieces);
    }

    private PackedWeight.Piece piece(DType type, int first, int outputs, int inputs) {
        // Where bf16 is made fp32 inside the product, oneDNN has only a plain loop to lay it out.
        boolean fp32Inside = oneDnn.typeBesidePacked(type) != type;
        int block = fp32Inside ? oneDnn.packedBlock(type, outputs, inputs) : 0;
        NativeMemory memory = memories.allocate(oneDnn.packedBytes(type, outputs, inputs));
        return new PackedWeight.Piece(first, outputs, block, memory);
    }

    /** {@code out = x weightᵀ + bias}; the bias may be null. A row of a result in bf16 depends on no other row. */
    void multiply(Tensor x, PackedWeight weight, Tensor bias, Tensor out) {
        if (x.type() != weight.type()) {
            throw new IllegalArgumentException(x + " times a packed weight of type " + weight.type());
        }
        Rows result = Rows.of(out);
        Rows biasRow = bias == null ? null : Rows.of(bias);
        try (Converted input = new Converted(workers, memories, x, oneDnn.typeBesidePacked(weight.type()))) {
            workers.run(weight.pieces().size(), (i, workspace) -> {
                PackedWeight.Piece piece = weight.pieces().get(i);
                if (result.isBf16()) {
                    rounded(input.rows(), weight, piece, biasRow, result, workspace);
                } else {
                    direct(input.rows(), weight, piece, biasRow, result, workspace);
                }
            });
        }
    }

    private void direct(
            Rows x, PackedWeight weight, PackedWeight.Piece piece, Rows bias, Rows out, Workspace workspace) {
        sums(x, 0, x.count, weight, piece, out.memory, out.byteOffset(0, piece.first()), out.stride(), workspace);
        if (bias == null) {
            return;
        }
        for (int row = 0; row < out.count; row++) {
            Span sum = workspace.input(0, out, row, piece.first(), piece.outputs());
            Pointwise.addTo(workspace.input(1, bias, 0, piece.first(), piece.outputs()), sum, piece.outputs());
        }
    }

    private void rounded(
            Rows x, PackedWeight weight, PackedWeight.Piece piece, Rows bias, Rows out, Workspace workspace) {
        for (int row = 0; row < x.count; row += MOST_ROWS) {
            int rows = Math.min(MOST_ROWS, x.count - row);
            NativeMemory sums = workspace.buffer(0, 4L * rows * piece.outputs());
            sums(x, row, rows, weight, piece, sums, 0, piece.outputs(), workspace);
            MatrixProducts.round(workspace, bias, out, row, piece.first(), rows, piece.outputs());
        }
    }

    /** The sums of some rows in fp32, at byte {@code place} of {@code out}, with {@code stride} elements between rows. */
    private void sums(
            Rows x,
            int row,
            int rows,
            PackedWeight weight,
            PackedWeight.Piece piece,
            NativeMemory out,
            long place,
            long stride,
            Workspace workspace) {
        boolean few = FewRowsProduct.suits(x.count, piece);
        Boolean same = few ? sameBits.get(new Size(piece.outputs(), weight.inputs())) : Boolean.FALSE;
        if (Boolean.TRUE.equals(same)) {
            FewRowsProduct.multiply(x, weight.inputs(), piece, out, place, 4 * stride, workspace);
            return;
        }
        ProductShape shape =
                ProductShape.ofPacked(rows, piece.outputs(), weight.inputs(), weight.type(), x.stride(), stride);
        workspace.product(shape).run(x.address(row, 0), piece.memory().address(), out.address() + place);
        if (same == null) {
            compare(x, weight.inputs(), piece, out, place, workspace);
        }
    }

    /** Notes whether the way of few rows gives the bits of the first row of {@code out}, which are oneDNN's. */
    private void compare(
            Rows x, int inputs, PackedWeight.Piece piece, NativeMemory out, long place, Workspace workspace) {
        NativeMemory ours = workspace.buffer(COMPARED_BUFFER, 4L * x.count * piece.outputs());
        FewRowsProduct.multiply(x, inputs, piece, ours, 0, 4L * piece.outputs(), workspace);
        ByteBuffer theirs = out.bytes(place, 4 * piece.outputs());
        boolean tells = IntStream.range(0, piece.outputs()).anyMatch(i -> theirs.getFloat(4 * i) != 0);
        if (tells) {
            sameBits.put(new Size(piece.outputs(), inputs), theirs.equals(ours.bytes(0, 4 * piece.outputs())));
        }
    }
}
