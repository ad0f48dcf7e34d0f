package io.rlhf4j.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Token sequences packed one after the other, without padding.
 *
 * @param ids token ids, [tokens]
 * @param positions position of each token in its sequence, from 0, [tokens]
 * @param starts where each sequence begins and, last, the number of tokens, [sequences + 1]
 */
public record TokenBatch(int[] ids, int[] positions, int[] starts) {
    public TokenBatch {
        if (ids.length != positions.length) {
            throw new IllegalArgumentException(ids.length + " ids but " + positions.length + " positions");
        }
        if (starts.length == 0 || starts[0] != 0 || starts[starts.length - 1] != ids.length) {
            throw new IllegalArgumentException(
                    "starts %s do not span %d tokens".formatted(Arrays.toString(starts), ids.length));
        }
        for (int sequence = 0; sequence + 1 < starts.length; sequence++) {
            if (starts[sequence + 1] <= starts[sequence]) {
                throw new IllegalArgumentException("sequence " + sequence + " has no token");
            }
        }
    }

    /** Packs whole sequences; each has at least one token. */
    public static TokenBatch of(List<int[]> sequences) {
        int[] starts = new int[sequences.size() + 1];
        for (int sequence = 0; sequence < sequences.size(); sequence++) {
            starts[sequence + 1] = starts[sequence] + sequences.get(sequence).length;
        }
        int tokens = starts[sequences.size()];
        int[] ids = new int[tokens];
        int[] positions = new int[tokens];
        for (int sequence = 0; sequence < sequences.size(); sequence++) {
            int[] source = sequences.get(sequence);
            System.arraycopy(source, 0, ids, starts[sequence], source.length);
            for (int i = 0; i < source.length; i++) {
                positions[starts[sequence] + i] = i;
            }
        }
        return new TokenBatch(ids, positions, starts);
    }

    /**
     * Packs padded rows, padding on either side: the tokens whose mask is 1, in order. A token's position is the number of
     * ones before it.
     *
     * @param ids [rows, length]
     * @param mask [rows, length], 1 at real tokens
     */
    public static TokenBatch fromPadded(int[][] ids, int[][] mask) {
        List<int[]> sequences = new ArrayList<>(ids.length);
        for (int row = 0; row < ids.length; row++) {
            int[] tokens = new int[ids[row].length];
            int count = 0;
            for (int column = 0; column < ids[row].length; column++) {
                if (mask[row][column] != 0) {
                    tokens[count++] = ids[row][column];
                }
            }
            sequences.add(Arrays.copyOf(tokens, count));
        }
        return of(sequences);
    }

    /**
     * This batch, and behind it a sequence of a few tokens that nobody asks for where the number of tokens is no multiple of
     * {@code step}: matrix products of whole tiles are several times faster than others.
     */
    TokenBatch filledTo(int step) {
        int missing = Math.floorMod(-tokens(), step);
        if (missing == 0) {
            return this;
        }
        int[] allIds = Arrays.copyOf(ids, tokens() + missing);
        int[] allPositions = Arrays.copyOf(positions, tokens() + missing);
        for (int i = 0; i < missing; i++) {
            allPositions[tokens() + i] = i;
        }
        int[] allStarts = Arrays.copyOf(starts, starts.length + 1);
        allStarts[starts.length] = allIds.length;
        return new TokenBatch(allIds, allPositions, allStarts);
    }

    /** The number of tokens of all sequences. */
    public int tokens() {
        return ids.length;
    }

    /** The number of sequences. */
    public int sequences() {
        return starts.length - 1;
    }

    /** The packed index of each sequence's last token. */
    public int[] lastRows() {
        int[] rows = new int[sequences()];
        Arrays.setAll(rows, sequence -> starts[sequence + 1] - 1);
        return rows;
    }
}
