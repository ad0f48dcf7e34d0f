package io.rlhf4j.backend.cpu;

import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Storage;
import java.util.List;
import java.util.stream.Stream;

/**
 * A weight [out, in] in the layout that products read fastest, cut along the outputs into a piece for each thread and each
 * piece along the inputs into parts whose sums are added up.
 *
 * @param type of the weight, and of the rows that it is given
 * @param rows type in which these rows are multiplied
 * @param pieces beside each other
 */
record PackedWeight(DType type, DType rows, List<Piece> pieces) implements Storage {
    /**
     * Outputs {@code first} to {@code first + outputs} (exclusive).
     *
     * @param scales an fp32 number for each output, by which its sum is multiplied; null where they are all 1
     */
    record Piece(int first, int outputs, List<Part> parts, NativeMemory scales) {}

    /**
     * Weights of a piece's outputs for inputs {@code first} to {@code first + inputs} (exclusive).
     *
     * @param type of the elements
     * @param int8 whether whole numbers of eight bits stand for them
     * @param block outputs of a block of the layout of {@link Bf16Packing} or {@link Int8Packing}; 0 in others
     * @param widens whether {@link WidenedProduct} can multiply by it
     */
    record Part(
            DType type,
            boolean int8,
            int first,
            int outputs,
            int inputs,
            int block,
            boolean widens,
            NativeMemory memory) {}

    private Stream<NativeMemory> memories() {
        return pieces.stream()
                .flatMap(piece ->
                        Stream.concat(piece.parts().stream().map(Part::memory), Stream.ofNullable(piece.scales())));
    }

    @Override
    public long bytes() {
        return memories().mapToLong(NativeMemory::bytes).sum();
    }

    @Override
    public long elements(DType elementType) {
        boolean rounded = pieces.stream().anyMatch(piece -> piece.scales() != null);
        return rounded ? bytes() : Storage.super.elements(elementType);
    }

    @Override
    public void free() {
        memories().forEach(NativeMemory::free);
    }
}
