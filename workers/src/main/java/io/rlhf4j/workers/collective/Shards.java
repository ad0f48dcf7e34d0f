package io.rlhf4j.workers.collective;

import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** How the elements of a tensor are cut among the ranks: rank r has the elements {@link #from} to {@link #to}. */
public final class Shards {
    private static final int SIZES_SHOWN = 8;

    /** Where each shard begins and, last, where the last one ends: [ranks + 1]. */
    private final long[] bounds;

    private Shards(long... bounds) {
        this.bounds = bounds;
    }

    /** Shards of these sizes, by rank. A size may be 0. */
    public static Shards ofSizes(long... sizes) {
        long[] bounds = new long[sizes.length + 1];
        for (int rank = 0; rank < sizes.length; rank++) {
            if (sizes[rank] < 0) {
                throw new IllegalArgumentException("shard %d has %d elements".formatted(rank, sizes[rank]));
            }
            bounds[rank + 1] = Math.addExact(bounds[rank], sizes[rank]);
        }
        return new Shards(bounds);
    }

    /** {@code elements} cut in {@code ranks} shards whose sizes differ by one at most. */
    public static Shards even(long elements, int ranks) {
        long[] sizes = new long[ranks];
        for (int rank = 0; rank < ranks; rank++) {
            sizes[rank] = elements / ranks + (rank < elements % ranks ? 1 : 0);
        }
        return ofSizes(sizes);
    }

    /** {@code elements}, whole blocks of {@code block}, cut between blocks so that sizes differ by one block at most. */
    public static Shards ofBlocks(long elements, int block, int ranks) {
        if (elements % block != 0) {
            throw new IllegalArgumentException("%d elements are not whole blocks of %d".formatted(elements, block));
        }
        Shards blocks = even(elements / block, ranks);
        return ofSizes(IntStream.range(0, ranks)
                .mapToLong(rank -> blocks.size(rank) * block)
                .toArray());
    }

    /** The number of shards: one a rank. */
    public int ranks() {
        return bounds.length - 1;
    }

    /** The number of elements of all shards. */
    public long elements() {
        return bounds[ranks()];
    }

    /** Where the shard of {@code rank} begins. */
    public long from(int rank) {
        return bounds[rank];
    }

    /** Where the shard of {@code rank} ends, exclusive. */
    public long to(int rank) {
        return bounds[rank + 1];
    }

    /** The number of elements of {@code rank}'s shard. */
    public long size(int rank) {
        return to(rank) - from(rank);
    }

    /** Whether this is how {@link #even} cuts. */
    public boolean isEven() {
        return equals(even(elements(), ranks()));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Shards shards && Arrays.equals(bounds, shards.bounds);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bounds);
    }

    /** The sizes. Of many only the first are shown, with a checksum of all: unequal shards look unequal. */
    @Override
    public String toString() {
        String shown = IntStream.range(0, Math.min(ranks(), SIZES_SHOWN))
                .mapToObj(rank -> Long.toString(size(rank)))
                .collect(Collectors.joining(", "));
        return ranks() <= SIZES_SHOWN ? "[%s]".formatted(shown) : "[%s, ...; #%08x]".formatted(shown, hashCode());
    }
}
