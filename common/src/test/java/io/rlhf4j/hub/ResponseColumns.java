package io.rlhf4j.hub;

import java.io.IOException;
import java.util.List;
import java.util.stream.IntStream;

/** The tokens that {@code ppo.action_mask} marks: column t of a row stands for the prediction of token t + 1. */
final class ResponseColumns {
    private final int[] rows;
    private final int[] targets;
    private final int[] places;

    ResponseColumns(GoldenModel golden) throws IOException {
        int[][] mask = golden.integers("ppo.action_mask");
        int[][] ids = golden.integers("right.input_ids");
        List<int[]> packed = golden.places("right");
        rows = IntStream.range(0, packed.size())
                .filter(i -> packed.get(i)[1] < mask[0].length && mask[packed.get(i)[0]][packed.get(i)[1]] != 0)
                .toArray();
        targets = IntStream.of(rows)
                .map(row -> ids[packed.get(row)[0]][packed.get(row)[1] + 1])
                .toArray();
        places = IntStream.of(rows)
                .map(row -> packed.get(row)[0] * mask[0].length + packed.get(row)[1])
                .toArray();
    }

    /** Packed rows before each response token. */
    int[] rows() {
        return rows;
    }

    /** The response tokens. */
    int[] targets() {
        return targets;
    }

    /** The marked entries of a matrix like the mask. */
    float[] of(float[] matrix) {
        float[] marked = new float[places.length];
        for (int i = 0; i < marked.length; i++) {
            marked[i] = matrix[places[i]];
        }
        return marked;
    }
}
