package io.rlhf4j.workers.collective;

import io.rlhf4j.tensor.Bfloat16;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Tensor;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.DoubleBinaryOperator;
import java.util.function.Supplier;

/**
 * Sums among threads of one JVM. All ranks meet, each sums a share of the elements over all ranks in their order and
 * writes it to every rank's tensor, and all meet again before anyone goes on. Elements pass through the host, so the ranks
 * may use different backends.
 *
 * <p>A started operation takes place when it is awaited, or before the next one that is: the threads that would sum in the
 * background are those that compute.
 */
final class LocalCollectives implements Collectives {
    /** Elements summed at a time: small enough for the processor's cache. */
    private static final int CHUNK = 1 << 14;

    private final Meeting meeting;
    private final int rank;
    private final boolean sumsRounded;
    private final ArrayDeque<Runnable> started = new ArrayDeque<>();
    private final float[] sum = new float[CHUNK];
    private final float[] term = new float[CHUNK];
    private final CollectiveMetrics metrics = new CollectiveMetrics();
    private boolean closed;

    LocalCollectives(Meeting meeting, int rank, DType sumType) {
        this.meeting = meeting;
        this.rank = rank;
        this.sumsRounded = sumType == DType.BF16;
    }

    @Override
    public int rank() {
        return rank;
    }

    @Override
    public int worldSize() {
        return meeting.worldSize();
    }

    @Override
    public Pending startAllReduceSum(Tensor tensor) {
        String operation = Operations.allReduceSum(tensor);
        Shards shards = Shards.even(tensor.elements(), worldSize());
        return start(operation, () -> {
            Tensor[] all = contents(operation, tensor, Tensor[].class);
            if (all.length > 1 || sumsRounded) {
                sumRange(all, shards.from(rank), shards.to(rank), all, shards.from(rank));
            }
            depart();
        });
    }

    @Override
    public Pending startReduceScatterSum(Tensor whole, Shards shards, Tensor part) {
        String operation = Operations.reduceScatterSum(whole, shards, part, rank);
        return start(operation, () -> {
            Tensor[] all = contents(operation, whole, Tensor[].class);
            sumRange(all, shards.from(rank), shards.to(rank), new Tensor[] {part}, 0);
            depart();
        });
    }

    @Override
    public Pending startAllGather(Tensor part, Shards shards, Tensor whole) {
        String operation = Operations.allGather(part, shards, whole, rank);
        return start(operation, () -> {
            Tensor[] all = contents(operation, part, Tensor[].class);
            for (int other = 0; other < worldSize(); other++) {
                copy(all[other], range(whole, shards.from(other), shards.to(other)));
            }
            depart();
        });
    }

    @Override
    public Pending startBroadcast(Tensor tensor, int root) {
        String operation = Operations.broadcast(tensor, root, worldSize());
        return start(operation, () -> {
            Tensor[] all = contents(operation, tensor, Tensor[].class);
            if (rank != root) {
                copy(all[root], tensor);
            }
            depart();
        });
    }

    private Pending start(String operation, Runnable action) {
        Runnable measured = () -> {
            long begin = System.nanoTime();
            action.run();
            metrics.add(operation, 0, 0, System.nanoTime() - begin);
        };
        started.add(measured);
        return () -> {
            while (started.contains(measured)) {
                started.remove().run();
            }
        };
    }

    /** What has been started takes place first. */
    private <T> T now(String operation, Supplier<T> action) {
        while (!started.isEmpty()) {
            started.remove().run();
        }
        long begin = System.nanoTime();
        T result = action.get();
        metrics.add(operation, 0, 0, System.nanoTime() - begin);
        return result;
    }

    @Override
    public double[] allReduceSum(double[] values) {
        return combine(Operations.allReduceSum(values), values, Double::sum);
    }

    @Override
    public double[] allReduceMax(double[] values) {
        return combine(Operations.allReduceMax(values), values, Math::max);
    }

    private double[] combine(String operation, double[] values, DoubleBinaryOperator operator) {
        double[][] all = now(operation, () -> contents(operation, values.clone(), double[][].class));
        double[] combined = all[0].clone();
        for (int other = 1; other < all.length; other++) {
            for (int i = 0; i < combined.length; i++) {
                combined[i] = operator.applyAsDouble(combined[i], all[other][i]);
            }
        }
        return combined;
    }

    @Override
    public List<byte[]> allGather(byte[] message) {
        String operation = Operations.ALL_GATHER_OF_MESSAGES;
        return List.of(now(operation, () -> contents(operation, message.clone(), byte[][].class)));
    }

    @Override
    public void agree(String operation) {
        now(operation, () -> meeting.meet(rank, new Meeting.Offer(operation, null)));
    }

    @Override
    public Optional<GroupFailure> failure() {
        return meeting.failure();
    }

    @Override
    public CollectiveMetrics metrics() {
        return metrics;
    }

    @Override
    public void abort(Throwable cause) {
        meeting.abort(rank, cause);
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            meeting.leave(rank);
        }
    }

    private <T> T[] contents(String operation, T content, Class<T[]> type) {
        Meeting.Offer[] offers = meeting.meet(rank, new Meeting.Offer(operation, content));
        return Arrays.copyOf(Arrays.stream(offers).map(Meeting.Offer::content).toArray(), offers.length, type);
    }

    /** Nobody may touch its tensors before everybody has read them. */
    private void depart() {
        meeting.meet(rank, new Meeting.Offer("the end of an operation", null));
    }

    private void sumRange(Tensor[] sources, long from, long to, Tensor[] targets, long targetFrom) {
        for (long at = from; at < to; at += CHUNK) {
            int length = (int) Math.min(CHUNK, to - at);
            read(sources[0], at, length, sum);
            for (int source = 1; source < sources.length; source++) {
                read(sources[source], at, length, term);
                for (int i = 0; i < length; i++) {
                    sum[i] += term[i];
                }
            }
            roundWhereAsked(sum, length);
            long begin = targetFrom + at - from;
            for (Tensor target : targets) {
                target.backend().write(range(target, begin, begin + length), sum, 0);
            }
        }
    }

    private void read(Tensor source, long from, int length, float[] target) {
        source.backend().read(range(source, from, from + length), target, 0);
        roundWhereAsked(target, length);
    }

    private void roundWhereAsked(float[] values, int length) {
        if (sumsRounded) {
            for (int i = 0; i < length; i++) {
                values[i] = Bfloat16.round(values[i]);
            }
        }
    }

    private void copy(Tensor source, Tensor target) {
        for (long at = 0; at < source.elements(); at += CHUNK) {
            long to = Math.min(source.elements(), at + CHUNK);
            source.backend().read(range(source, at, to), sum, 0);
            target.backend().write(range(target, at, to), sum, 0);
        }
    }

    /** Elements from..to in order, whatever the shape; offsets are long because a tensor may be large. */
    private static Tensor range(Tensor tensor, long from, long to) {
        return Tensor.of(
                tensor.backend(), tensor.storage(), tensor.type(), tensor.offset() + from, Math.toIntExact(to - from));
    }
}
