package io.rlhf4j.backend.cpu;

import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Storage;
import java.util.List;

/**
 * A weight [out, in] in the layout that oneDNN's products read fastest, cut along the outputs into a piece for each thread.
 *
 * @param inputs length of the sums
 * @param type of the elements
 * @param pieces beside each other
 */
record PackedWeight(int inputs, DType type, List<Piece> pieces) implements Storage {
    /**
     * Outputs {@code first} to {@code first + outputs} (exclusive).
     *
     * @param block outputs of a block of the layout of {@link Bf16Packing}; 0 in others
     */
    record Piece(int first, int outputs, int block, NativeMemory memory) {}

    @Override
    public long bytes() {
        return pieces.stream().mapToLong(piece -> piece.memory.bytes()).sum();
    }

    @Override
    public void free() {
        pieces.forEach(piece -> piece.memory.free());
    }
}
