package io.rlhf4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Attention over a cache of keys and values whose blocks lie anywhere. */
interface CachedAttentionConformance extends Conformance {
    @ParameterizedTest
    @EnumSource(DType.class)
    default void newTokensAttendToTheirSequencesCache(DType type) {
        for (AttentionSpec spec : AttentionConformance.specs()) {
            // one token each, as in decoding; a whole prompt; and both at once
            checkCached(spec, type, 4, new int[] {1, 7, 12}, new int[] {1, 1, 1}, false);
            checkCached(spec, type, 4, new int[] {9}, new int[] {9}, false);
            checkCached(spec, type, 3, new int[] {8, 1, 6, 15}, new int[] {3, 1, 1, 15}, true);
            checkCached(spec, type, 16, new int[] {40, 33}, new int[] {1, 2}, true);
            // long prompts behind decoding, and caches that are longer than what is looked at at once
            checkCached(spec, type, 16, new int[] {40, 37, 90}, new int[] {1, 37, 90}, true);
            checkCached(spec, type, 16, new int[] {300, 130, 129}, new int[] {1, 3, 1}, false);
        }
    }

    /** @param fresh how many of the last positions of each sequence are new tokens */
    private void checkCached(AttentionSpec spec, DType type, int blockSize, int[] lengths, int[] fresh, boolean view) {
        int sequences = lengths.length;
        int[] starts = new int[sequences + 1];
        int used = 0;
        for (int s = 0; s < sequences; s++) {
            starts[s + 1] = starts[s] + fresh[s];
            used += (lengths[s] + blockSize - 1) / blockSize;
        }
        List<Integer> places = new ArrayList<>();
        for (int block = 0; block < used + 2; block++) {
            places.add(block);
        }
        Collections.shuffle(places, new Random(7));
        int[][] blocks = new int[sequences][];
        int next = 0;
        for (int s = 0; s < sequences; s++) {
            // one entry more than needed: a block reserved for the tokens to come
            blocks[s] = new int[(lengths[s] + blockSize - 1) / blockSize + 1];
            for (int i = 0; i < blocks[s].length - 1; i++) {
                blocks[s][i] = places.get(next++);
            }
        }
        int width = spec.heads() * spec.headDim();
        int kvWidth = spec.kvHeads() * spec.headDim();
        try (Workbench bench = open()) {
            int rows = (used + 2) * blockSize;
            Tensor keys = bench.normal(type, rows, kvWidth);
            Tensor values = bench.normal(type, rows, kvWidth);
            Tensor q = view
                    ? bench.normalColumns(type, starts[sequences], width)
                    : bench.normal(type, starts[sequences], width);
            Tensor out = bench.output(type, starts[sequences], width);
            double[] expected = new double[starts[sequences] * width];
            double[] wideQ = Workbench.values(q);
            for (int s = 0; s < sequences; s++) {
                double[][] keyRows = rows(keys, blocks[s], blockSize, lengths[s]);
                double[][] valueRows = rows(values, blocks[s], blockSize, lengths[s]);
                Reference.attend(
                        spec, wideQ, starts[s], starts[s + 1], lengths[s] - fresh[s], keyRows, valueRows, expected);
            }
            CachedTokens tokens = new CachedTokens(blocks, blockSize, lengths, starts);
            backend().cachedAttention(spec, q, keys, values, tokens, out);
            String what = "%s, %d sequences in blocks of %d".formatted(spec, sequences, blockSize);
            Tolerance.of(type).check(what, out, expected);

            // The same with a cache that does not hold the new tokens yet.
            int[] newRows = new int[starts[sequences]];
            for (int s = 0; s < sequences; s++) {
                for (int row = starts[s]; row < starts[s + 1]; row++) {
                    int position = lengths[s] - (starts[s + 1] - row);
                    newRows[row] = tokens.row(s, position);
                }
            }
            Tensor k = view
                    ? bench.normalColumns(type, newRows.length, kvWidth)
                    : bench.normal(type, newRows.length, kvWidth);
            Tensor v = bench.normal(type, newRows.length, kvWidth);
            backend().gatherRows(keys, newRows, k);
            backend().gatherRows(values, newRows, v);
            for (int place : newRows) {
                backend().fill(keys.slice(place, place + 1), Float.NaN);
                backend().fill(values.slice(place, place + 1), Float.NaN);
            }
            backend().extendCacheAndAttend(spec, q, k, v, newRows, keys, values, tokens, out);
            Tolerance.of(type).check("extended, " + what, out, expected);
            for (int row = 0; row < newRows.length; row++) {
                assertThat(keys.slice(newRows[row], newRows[row] + 1).toFloats())
                        .isEqualTo(k.slice(row, row + 1).toFloats());
                assertThat(values.slice(newRows[row], newRows[row] + 1).toFloats())
                        .isEqualTo(v.slice(row, row + 1).toFloats());
            }
        }
    }

    private static double[][] rows(Tensor cache, int[] blocks, int blockSize, int length) {
        double[][] rows = new double[length][];
        for (int p = 0; p < length; p++) {
            int row = blocks[p / blockSize] * blockSize + p % blockSize;
            rows[p] = Workbench.values(cache.slice(row, row + 1));
        }
        return rows;
    }
}
