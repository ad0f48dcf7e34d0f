package io.rlhf4j.backend.cpu;

import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongFunction;

/** Lays weights out once for the many products of {@link PackedProducts}. */
final class WeightPacking {
    /** A weight with so few elements is not worth a second thread. */
    private static final int SMALL = 1 << 16;

    private static final int COLUMN_STEP = 64;

    /** Longer sums are cut: oneDNN would, at a place that it does not tell, and no other code could come to its bits. */
    private static final int MOST_INPUTS = 1024;

    private final WorkerPool workers;
    private final Slabs memories;
    private final OneDnn oneDnn;

    WeightPacking(WorkerPool workers, MemoryPool memories, OneDnn oneDnn) {
        this.workers = workers;
        this.memories = new Slabs(memories);
        this.oneDnn = oneDnn;
    }

    /** Whether products are faster with packed weights of this type. */
    boolean gains(DType type) {
        return oneDnn.packs(type);
    }

    /** Whether products with weights of so many inputs in the layout of {@link Int8Packing} are possible. */
    boolean packsInt8(int inputs) {
        int last = inputs % MOST_INPUTS;
        return (inputs < MOST_INPUTS || Int8Packing.fits(oneDnn, MOST_INPUTS))
                && (last == 0 || Int8Packing.fits(oneDnn, last));
    }

    /** {@code weight} [out, in] in oneDNN's layout. */
    PackedWeight pack(Tensor weight) {
        return packed(weight, oneDnn.typeBesidePacked(weight.type()), this::piece, this::pack);
    }

    /** {@code weight} [out, in] rounded to {@link io.rlhf4j.tensor.Int8}. */
    PackedWeight packInt8(Tensor weight) {
        return packed(weight, DType.FP32, this::int8Piece, Int8Packing::pack);
    }

    /** Takes memory for the outputs of a piece of a weight of so many inputs. */
    private interface Allocation {
        PackedWeight.Piece piece(DType type, int first, int outputs, int inputs, LongFunction<NativeMemory> memory);
    }

    /** Fills a piece. */
    private interface Packing {
        void pack(Rows weight, PackedWeight.Piece piece, Workspace workspace);
    }

    private PackedWeight packed(Tensor weight, DType rows, Allocation allocation, Packing packing) {
        int outputs = weight.rows();
        Rows source = Rows.of(weight);
        int wanted = weight.elements() < SMALL ? 1 : workers.threads();
        int size = (outputs + wanted * COLUMN_STEP - 1) / (wanted * COLUMN_STEP) * COLUMN_STEP;
        List<NativeMemory> taken = new ArrayList<>();
        LongFunction<NativeMemory> memory = bytes -> {
            taken.add(memories.allocate(bytes));
            return taken.get(taken.size() - 1);
        };
        try {
            List<PackedWeight.Piece> pieces = new ArrayList<>();
            for (int first = 0; first < outputs; first += size) {
                int here = Math.min(size, outputs - first);
                pieces.add(allocation.piece(source.type, first, here, weight.columns(), memory));
            }
            workers.run(pieces.size(), (i, workspace) -> packing.pack(source, pieces.get(i), workspace));
            return new PackedWeight(source.type, rows, pieces);
        } catch (Throwable failed) {
            // Memory ran out, say: nobody would give back what was taken before.
            taken.forEach(NativeMemory::free);
            throw failed;
        }
    }

    private void pack(Rows weight, PackedWeight.Piece piece, Workspace workspace) {
        for (PackedWeight.Part part : piece.parts()) {
            if (part.block() > 0) {
                Bf16Packing.pack(weight, piece.first(), part);
            } else {
                oneDnn.pack(
                        part.type(),
                        part.outputs(),
                        part.inputs(),
                        weight.stride(),
                        weight.address(piece.first(), part.first()),
                        part.memory().address());
            }
        }
    }

    private PackedWeight.Piece piece(
            DType type, int first, int outputs, int inputs, LongFunction<NativeMemory> memory) {
        // Where bf16 is made fp32 inside the product, oneDNN has only a plain loop to lay it out.
        boolean fp32Inside = oneDnn.typeBesidePacked(type) != type;
        int size = fp32Inside ? MOST_INPUTS : inputs;
        List<PackedWeight.Part> parts = new ArrayList<>();
        for (int input = 0; input < inputs; input += size) {
            int length = Math.min(size, inputs - input);
            int block = fp32Inside ? oneDnn.packedBlock(type, outputs, length) : 0;
            boolean widens = WidenedProduct.fits(oneDnn, outputs, length, block);
            NativeMemory place = memory.apply(oneDnn.packedBytes(type, outputs, length));
            parts.add(new PackedWeight.Part(type, false, input, outputs, length, block, widens, place));
        }
        return new PackedWeight.Piece(first, outputs, parts, null);
    }

    private PackedWeight.Piece int8Piece(
            DType type, int first, int outputs, int inputs, LongFunction<NativeMemory> memory) {
        List<PackedWeight.Part> parts = new ArrayList<>();
        for (int input = 0; input < inputs; input += MOST_INPUTS) {
            int length = Math.min(MOST_INPUTS, inputs - input);
            NativeMemory place = memory.apply(Int8Packing.bytes(oneDnn, outputs, length));
            parts.add(new PackedWeight.Part(type, true, input, outputs, length, Int8Packing.BLOCK, false, place));
        }
        return new PackedWeight.Piece(first, outputs, parts, memory.apply(4L * outputs));
    }
}
