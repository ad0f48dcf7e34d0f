package io.rlhf4j.driver.pipeline;

import io.rlhf4j.tensor.Tensor;
import io.rlhf4j.workers.collective.Collectives;
import java.util.List;

/** A group that lasts over several jobs: engines outlive a job, and every job joins its ranks anew. */
final class RejoiningCollectives implements Collectives {
    private Collectives current;

    /** Works with the group of the job at hand from now on. */
    void join(Collectives group) {
        current = group;
    }

    @Override
    public int rank() {
        return current.rank();
    }

    @Override
    public int worldSize() {
        return current.worldSize();
    }

    @Override
    public void allReduceSum(Tensor tensor) {
        current.allReduceSum(tensor);
    }

    @Override
    public void reduceScatterSum(Tensor whole, Tensor part) {
        current.reduceScatterSum(whole, part);
    }

    @Override
    public void allGather(Tensor part, Tensor whole) {
        current.allGather(part, whole);
    }

    @Override
    public void broadcast(Tensor tensor, int root) {
        current.broadcast(tensor, root);
    }

    @Override
    public double[] allReduceSum(double[] values) {
        return current.allReduceSum(values);
    }

    @Override
    public double[] allReduceMax(double[] values) {
        return current.allReduceMax(values);
    }

    @Override
    public List<byte[]> allGather(byte[] message) {
        return current.allGather(message);
    }

    @Override
    public void barrier() {
        current.barrier();
    }

    @Override
    public void abort(Throwable cause) {
        current.abort(cause);
    }

    /** Nothing: the job that joined the group leaves it. */
    @Override
    public void close() {}
}
