package io.rlhf4j.batch;

import io.rlhf4j.data.TokenRow;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToIntFunction;

/**
 * Which rank computes which rows of a step, and in which micro-batches. A function of the rows' lengths alone, so every rank
 * comes to the same division without a word.
 */
public final class RowShares {
    private RowShares() {}

    /**
     * The rows of one rank, such that all ranks have about as many tokens: the longest row left goes to the rank with the
     * fewest tokens (Graham 1969).
     */
    public static <R extends TokenRow> List<R> of(List<R> rows, int rank, int worldSize) {
        return of(rows, TokenRow::tokens, rank, worldSize);
    }

    /** {@link #of(List, int, int)} of anything that has a length. */
    public static <R> List<R> of(List<R> rows, ToIntFunction<R> length, int rank, int worldSize) {
        long[] tokens = new long[worldSize];
        List<R> share = new ArrayList<>();
        for (R row : longestFirst(rows, length)) {
            int lightest = 0;
            for (int other = 1; other < worldSize; other++) {
                if (tokens[other] < tokens[lightest]) {
                    lightest = other;
                }
            }
            tokens[lightest] += length.applyAsInt(row);
            if (lightest == rank) {
                share.add(row);
            }
        }
        return share;
    }

    /**
     * Micro-batches of at most {@code budget} tokens each, as few as first fit finds; a row of more tokens is one alone.
     */
    public static <R extends TokenRow> List<List<R>> microBatches(List<R> rows, int budget) {
        return microBatches(rows, TokenRow::tokens, budget);
    }

    /** {@link #microBatches(List, int)} of anything that has a length. */
    public static <R> List<List<R>> microBatches(List<R> rows, ToIntFunction<R> length, int budget) {
        List<List<R>> batches = new ArrayList<>();
        List<Integer> tokens = new ArrayList<>();
        for (R row : longestFirst(rows, length)) {
            int batch = 0;
            while (batch < batches.size() && tokens.get(batch) + length.applyAsInt(row) > budget) {
                batch++;
            }
            if (batch == batches.size()) {
                batches.add(new ArrayList<>());
                tokens.add(0);
            }
            batches.get(batch).add(row);
            tokens.set(batch, tokens.get(batch) + length.applyAsInt(row));
        }
        return batches;
    }

    /** Rows of equal length keep their order: the sort is stable. */
    private static <R> List<R> longestFirst(List<R> rows, ToIntFunction<R> length) {
        return rows.stream().sorted(Comparator.comparingInt(length).reversed()).toList();
    }
}
