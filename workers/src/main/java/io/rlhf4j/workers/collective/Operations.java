package io.rlhf4j.workers.collective;

import io.rlhf4j.tensor.Tensor;

/**
 * The operations of {@link Collectives} in words: what ranks compare to know that they call the same, and what a reader of an
 * error sees. Each checks its arguments first.
 */
public final class Operations {
    public static final String BARRIER = "barrier";
    public static final String ALL_GATHER_OF_MESSAGES = "allGather of messages";

    private Operations() {}

    /** An {@link Collectives#startAllReduceSum}. */
    public static String allReduceSum(Tensor tensor) {
        return "allReduceSum of %s elements".formatted(size(tensor));
    }

    /** A {@link Collectives#startReduceScatterSum}. */
    public static String reduceScatterSum(Tensor whole, Shards shards, Tensor part, int rank) {
        requireShard(whole, shards, part, rank);
        return "reduceScatterSum of %s elements%s".formatted(size(whole), uneven(shards));
    }

    /** A {@link Collectives#startAllGather}. */
    public static String allGather(Tensor part, Shards shards, Tensor whole, int rank) {
        requireShard(whole, shards, part, rank);
        return "allGather to %s elements%s".formatted(size(whole), uneven(shards));
    }

    /** A {@link Collectives#startBroadcast}. */
    public static String broadcast(Tensor tensor, int root, int worldSize) {
        if (root < 0 || root >= worldSize) {
            throw new IllegalArgumentException("root %d of %d ranks".formatted(root, worldSize));
        }
        return "broadcast from rank %d of %s elements".formatted(root, size(tensor));
    }

    /** A {@link Collectives#allReduceSum(double[])}. */
    public static String allReduceSum(double... values) {
        return "allReduceSum of %d numbers".formatted(values.length);
    }

    /** A {@link Collectives#allReduceMax}. */
    public static String allReduceMax(double... values) {
        return "allReduceMax of %d numbers".formatted(values.length);
    }

    private static String size(Tensor tensor) {
        tensor.requireContiguous();
        return tensor.elements() + " " + tensor.type();
    }

    private static String uneven(Shards shards) {
        return shards.isEven() ? "" : " in shards of " + shards;
    }

    private static void requireShard(Tensor whole, Shards shards, Tensor part, int rank) {
        part.requireContiguous();
        if (whole.elements() != shards.elements() || part.elements() != shards.size(rank)) {
            throw new IllegalArgumentException("%s and %s are not the whole and the shard of rank %d of shards of %s"
                    .formatted(whole, part, rank, shards));
        }
        if (whole.type() != part.type()) {
            throw new IllegalArgumentException("%s and %s are of different types".formatted(whole, part));
        }
    }
}
