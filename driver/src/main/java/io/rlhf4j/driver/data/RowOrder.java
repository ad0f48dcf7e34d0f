package io.rlhf4j.driver.data;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * The order in which a step sees its rows: pass after pass over all of them, every pass in another order that follows from
 * the seed and the rows' numbers alone.
 *
 * <p>A source's weight is how often a pass has each of its rows. Of a fraction, a pass has that share of the rows, another share
 * each time: with weight 0.5 a row comes in about every second pass.
 */
public final class RowOrder {
    private final long[] ids;
    private final double[] weights;
    private final long seed;
    private final Map<Integer, Integer> lengths = new HashMap<>();
    private int keptPass = -1;
    private long[] kept = {};

    RowOrder(long[] ids, double[] weights, long seed) {
        this.ids = ids.clone();
        this.weights = weights.clone();
        this.seed = seed;
    }

    /** How many different rows there are. */
    public int rows() {
        return ids.length;
    }

    /** How many rows {@code epochs} passes have; a last part of a pass is counted by its share. */
    public long rows(double epochs) {
        long rows = 0;
        int whole = (int) Math.floor(epochs);
        for (int pass = 0; pass < whole; pass++) {
            rows += length(pass);
        }
        return rows + Math.round((epochs - whole) * (epochs > whole ? length(whole) : 0));
    }

    /** The numbers of rows {@code from} to {@code from + count} of the endless row of passes. */
    public long[] take(long from, int count) {
        if (ids.length == 0 && count > 0) {
            throw new IllegalArgumentException("there are no rows to take %d of".formatted(count));
        }
        long[] taken = new long[count];
        int filled = 0;
        long begin = 0;
        for (int pass = 0; filled < count; pass++) {
            long at = from + filled - begin;
            if (at < length(pass)) {
                long[] order = pass(pass);
                int taking = Math.min(count - filled, order.length - (int) at);
                System.arraycopy(order, (int) at, taken, filled, taking);
                filled += taking;
            }
            begin += length(pass);
        }
        return taken;
    }

    private int length(int pass) {
        return lengths.computeIfAbsent(pass, each -> Math.toIntExact(copies(each)));
    }

    /** Batches follow each other, so the pass at hand is nearly always the one that was used last. */
    private long[] pass(int pass) {
        if (pass != keptPass) {
            kept = shuffled(pass);
            keptPass = pass;
        }
        return kept;
    }

    private long[] shuffled(int pass) {
        record Placed(long place, long id) {}
        Placed[] all = new Placed[length(pass)];
        int filled = 0;
        for (int i = 0; i < ids.length; i++) {
            for (int copy = 0; copy < copies(i, pass); copy++) {
                all[filled++] = new Placed(StableHash.of("order", seed, pass, ids[i], copy), ids[i]);
            }
        }
        Arrays.sort(
                all,
                (first, second) -> first.place() != second.place()
                        ? Long.compare(first.place(), second.place())
                        : Long.compare(first.id(), second.id()));
        return Arrays.stream(all).mapToLong(Placed::id).toArray();
    }

    private long copies(int pass) {
        long copies = 0;
        for (int i = 0; i < ids.length; i++) {
            copies += copies(i, pass);
        }
        return copies;
    }

    private int copies(int row, int pass) {
        double weight = weights[row];
        int whole = (int) Math.floor(weight);
        return whole + (StableHash.unit("weight", seed, pass, ids[row]) < weight - whole ? 1 : 0);
    }
}
