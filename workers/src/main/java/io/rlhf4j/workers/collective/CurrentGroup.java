package io.rlhf4j.workers.collective;

import io.rlhf4j.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/** The group of the job at hand, for engines that outlive a job: every job joins a group of its own. */
public final class CurrentGroup implements Collectives {
    private Collectives group;

    /** Uses the group of a new job from here on. */
    public void enter(Collectives newGroup) {
        group = newGroup;
    }

    @Override
    public int rank() {
        return group.rank();
    }

    @Override
    public int worldSize() {
        return group.worldSize();
    }

    @Override
    public Pending startAllReduceSum(Tensor tensor) {
        return group.startAllReduceSum(tensor);
    }

    @Override
    public Pending startReduceScatterSum(Tensor whole, Shards shards, Tensor part) {
        return group.startReduceScatterSum(whole, shards, part);
    }

    @Override
    public Pending startAllGather(Tensor part, Shards shards, Tensor whole) {
        return group.startAllGather(part, shards, whole);
    }

    @Override
    public Pending startBroadcast(Tensor tensor, int root) {
        return group.startBroadcast(tensor, root);
    }

    @Override
    public double[] allReduceSum(double[] values) {
        return group.allReduceSum(values);
    }

    @Override
    public double[] allReduceMax(double[] values) {
        return group.allReduceMax(values);
    }

    @Override
    public List<byte[]> allGather(byte[] message) {
        return group.allGather(message);
    }

    @Override
    public void agree(String operation) {
        group.agree(operation);
    }

    @Override
    public Optional<GroupFailure> failure() {
        return group.failure();
    }

    @Override
    public CollectiveMetrics metrics() {
        return group.metrics();
    }

    @Override
    public void abort(Throwable cause) {
        group.abort(cause);
    }

    /** Does nothing: the job closes its group. */
    @Override
    public void close() {}
}
