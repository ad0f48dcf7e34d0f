package io.rlhf4j.backend.cpu;

import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Storage;
import java.util.List;
import java.util.stream.Stream;

/**
 * A weight [out, in] in the layout that oneDNN's products read fastest, cut along the outputs into a piece for each thread
 * and each piece along the inputs into parts whose sums are added up.
 *
 * @param type of the elements
 * @param pieces beside each other
 */
record PackedWeight(DType type, List<Piece> pieces) implements Storage {
    /** Outputs {@code first} to {@code first + outputs} (exclusive). */
    record Piece(int first, int outputs, List<Part> parts) {}

    /**
     * Weights of a piece's outputs for inputs {@code first} to {@code first + inputs} (exclusive).
     *
     * @param block outputs of a block of the layout of {@link Bf16Packing}; 0 in others
     * @param widens whether {@link WidenedProduct} can multiply by it
     */
    record Part(DType type, int first, int outputs, int inputs, int block, boolean widens, NativeMemory memory) {}

    private Stream<NativeMemory> memories() {
        return pieces.stream().flatMap(piece -> piece.parts().stream()).map(Part::memory);
    }

    @Override
    public long bytes() {
        return memories().mapToLong(NativeMemory::bytes).sum();
    }

    @Override
    public void free() {
        memories().forEach(NativeMemory::free);
    }
}
