package io.rlhf4j.workers.collective;

import io.rlhf4j.tensor.Tensor;
import java.util.List;

/**
 * One rank's end of a group of {@link #worldSize()} ranks. Every rank calls the same operations with the same sizes in
 * the same order; each call returns when this rank's tensors may be used again.
 *
 * <p>Sums are taken in fp32 (fp64 for {@code double[]}) in the order of the ranks, so that they have the same bits in every run and on every
 * rank, and {@link #reduceScatterSum} followed by {@link #allGather} gives the bits of {@link #allReduceSum}. BF16 tensors are
 * rounded once, after the sum.
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
    void allReduceSum(Tensor tensor);

    /**
     * Cuts the sum of all ranks' {@code whole} in worldSize equal parts and puts part {@code rank} into {@code part}.
     *
     * @param whole [worldSize * n]; unchanged
     * @param part [n]; may be the view of {@code whole} that this rank's part is
     */
    void reduceScatterSum(Tensor whole, Tensor part);

    /**
     * Puts the parts of all ranks one after the other.
     *
     * @param part [n]; may be the view of {@code whole} that this rank's part is
     * @param whole [worldSize * n]
     */
    void allGather(Tensor part, Tensor whole);

    /** Copies the tensor of rank {@code root} to all ranks. */
    void broadcast(Tensor tensor, int root);

    /** The sums over all ranks, element by element, in fp64. */
    double[] allReduceSum(double[] values);

    /** The largest over all ranks, element by element. NaN wins. */
    double[] allReduceMax(double[] values);

    /** What every rank says, by rank: for agreements and reports, of any and different sizes. */
    List<byte[]> allGather(byte[] message);

    /** Waits for all ranks. */
    void barrier();

    /** Ends the group for all ranks because this one failed. The first cause is kept; later ones are ignored. */
    void abort(Throwable cause);

    /**
     * Leaves the group. Where this rank leaves while another waits for it, that is a failure of the group for the other.
     * Closing twice does nothing.
     */
    @Override
    void close();
}
