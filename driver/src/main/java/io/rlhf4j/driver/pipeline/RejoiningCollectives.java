package io.rlhf4j.driver.pipeline;

import io.rlhf4j.tensor.Tensor;
import io.rlhf4j.workers.collective.CollectiveMetrics;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.Pending;
import io.rlhf4j.workers.collective.Shards;
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
    public Pending startAllReduceSum(Tensor tensor) {
        return current.startAllReduceSum(tensor);
    }

    @Override
    public Pending startReduceScatterSum(Tensor whole, Shards shards, Tensor part) {
        return current.startReduceScatterSum(whole, shards, part);
    }

    @Override
    public Pending startAllGather(Tensor part, Shards shards, Tensor whole) {
        return current.startAllGather(part, shards, whole);
    }

    @Override
    public Pending startBroadcast(Tensor tensor, int root) {
        return current.startBroadcast(tensor, root);
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
    public CollectiveMetrics metrics() {
        return current.metrics();
    }

    @Override
    public void abort(Throwable cause) {
        current.abort(cause);
    }

    /** Nothing: the job that joined the group leaves it. */
    @Override
    public void close() {}
}
