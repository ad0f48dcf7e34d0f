package io.rlhf4j.workers.collective;

import io.rlhf4j.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/**
 * One rank's end of a group of {@link #worldSize()} ranks. Every rank calls the same operations with the same sizes in
 * the same order; each call returns when this rank's tensors may be used again.
 *
 * <p>Operations on tensors have a second form, {@code start...}, that returns at once and is awaited later, so that ranks
 * exchange gradients while they compute others. Started operations take place in the order in which they were started.
 *
 * <p>Sums are taken in fp32 (fp64 for {@code double[]}) in the order of the ranks, so that they have the same bits in every
 * run, on every rank and in every implementation, and {@link #reduceScatterSum} followed by {@link #allGather} gives the bits
 * of {@link #allReduceSum}. BF16 tensors are rounded once, after the sum. A group may be told to sum FP32 tensors as though
 * they were BF16, which halves what is sent: each rank's tensor is rounded, then the sum in fp32, and nothing between.
 * Gathers and broadcasts are always exact.
 *
 * <p>A group fails as a whole: where ranks disagree on the operation or its size, where one fails ({@link #abort}), or
 * where one does not come within the group's deadline, all calls of all ranks end with a {@link CollectiveException} that
 * names the first cause, then and ever after.
 *
 * <p>Tensors are contiguous and belong to any backend; one thread uses an instance at a time.
 */
public interface Collectives extends AutoCloseable {
    /** This rank, from 0. */
    int rank();

    /** The number of ranks. */
    int worldSize();

    /** Replaces the tensor by the sum of all ranks' tensors. */
    default void allReduceSum(Tensor tensor) {
        startAllReduceSum(tensor).await();
    }

    /**
     * Puts this rank's shard of the sum of all ranks' {@code whole} into {@code part}.
     *
     * @param whole [shards.elements]; unchanged
     * @param part [shards.size(rank)]; may be the view of {@code whole} that this rank's shard is
     */
    default void reduceScatterSum(Tensor whole, Shards shards, Tensor part) {
        startReduceScatterSum(whole, shards, part).await();
    }

    /** {@link #reduceScatterSum(Tensor, Shards, Tensor)} of equal shards: whole [worldSize * n], part [n]. */
    default void reduceScatterSum(Tensor whole, Tensor part) {
        reduceScatterSum(whole, equalTo(part), part);
    }

    /**
     * Puts the shards of all ranks one after the other.
     *
     * @param part [shards.size(rank)]; may be the view of {@code whole} that this rank's shard is
     * @param whole [shards.elements]
     */
    default void allGather(Tensor part, Shards shards, Tensor whole) {
        startAllGather(part, shards, whole).await();
    }

    /** {@link #allGather(Tensor, Shards, Tensor)} of equal shards: part [n], whole [worldSize * n]. */
    default void allGather(Tensor part, Tensor whole) {
        allGather(part, equalTo(part), whole);
    }

    /** Copies the tensor of rank {@code root} to all ranks. */
    default void broadcast(Tensor tensor, int root) {
        startBroadcast(tensor, root).await();
    }

    /** Begins {@link #allReduceSum(Tensor)}. */
    Pending startAllReduceSum(Tensor tensor);

    /** Begins {@link #reduceScatterSum(Tensor, Shards, Tensor)}. */
    Pending startReduceScatterSum(Tensor whole, Shards shards, Tensor part);

    /** Begins {@link #allGather(Tensor, Shards, Tensor)}. */
    Pending startAllGather(Tensor part, Shards shards, Tensor whole);

    /** Begins {@link #broadcast}. */
    Pending startBroadcast(Tensor tensor, int root);

    /** The sums over all ranks, element by element, in fp64. */
    double[] allReduceSum(double[] values);

    /** The largest over all ranks, element by element. NaN wins. */
    double[] allReduceMax(double[] values);

    /** What every rank says, by rank: for agreements and reports, of any and different sizes. */
    List<byte[]> allGather(byte[] message);

    /** Waits for all ranks. */
    default void barrier() {
        agree(Operations.BARRIER);
    }

    /**
     * Waits for all ranks, which have to have come to the same operation: for operations that are carried out otherwise. The
     * call is counted as one of that operation.
     *
     * @param operation in the words of {@link Operations}
     */
    void agree(String operation);

    /** Why the group has ended, for whoever waits for something else meanwhile; empty where it has not. Any thread may ask. */
    Optional<GroupFailure> failure();

    /** What this rank's operations have sent, received and taken so far. */
    CollectiveMetrics metrics();

    /** Ends the group for all ranks because this one failed. The first cause is kept; later ones are ignored. */
    void abort(Throwable cause);

    /**
     * Leaves the group. Where this rank leaves while another waits for it, that is a failure of the group for the other.
     * Closing twice does nothing.
     */
    @Override
    void close();

    private Shards equalTo(Tensor part) {
        return Shards.even(Math.multiplyExact(part.elements(), (long) worldSize()), worldSize());
    }
}
