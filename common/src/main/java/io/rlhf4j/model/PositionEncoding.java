package io.rlhf4j.model;

import java.util.List;

/** How a token knows its place in the sequence. */
public sealed interface PositionEncoding {
    /**
     * A learned vector for each position is added to the embedding.
     *
     * @param positions how many there are
     * @param offset row of the first in the table (2 for OPT)
     */
    record Learned(int positions, int offset) implements PositionEncoding {}

    /**
     * Queries and keys are rotated (Su et al. 2021).
     *
     * @param dimensions leading columns of each head that are rotated
     * @param interleaved pairs are (0, 1), (2, 3), ... (GPT-J)
     * @param inverseFrequencies angle of each pair for one position, [dimensions / 2]
     */
    record Rotary(int dimensions, boolean interleaved, List<Float> inverseFrequencies) implements PositionEncoding {
        public Rotary {
            inverseFrequencies = List.copyOf(inverseFrequencies);
        }
    }

    /** Scores fall linearly with distance (Press et al. 2022). */
    record Alibi() implements PositionEncoding {}
}
