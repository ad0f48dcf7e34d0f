package io.rlhf4j.workers.collective;

import io.rlhf4j.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleBinaryOperator;

/**
 * Sums among threads of one JVM. All ranks meet, each sums a share of the elements over all ranks in their order and
 * writes it to every rank's tensor, and all meet again before anyone goes on. Elements pass through the host, so the ranks
 * may use different backends.
 */
final class LocalCollectives implements Collectives {
    /** Elements summed at a time: small enough for the processor's cache. */
    private static final int CHUNK = 1 << 14;

    private final Meeting meeting;
    private final int rank;
    private final float[] sum = new float[CHUNK];
    private final float[] term = new float[CHUNK];
    private boolean closed;

    LocalCollectives(Meeting meeting, int rank) {
        this.meeting = meeting;
        this.rank = rank;
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
    public void allReduceSum(Tensor tensor) {
        Tensor[] all = meet("allReduceSum of %s elements".formatted(size(tensor)), tensor);
        long elements = tensor.elements();
        long from = elements * rank / worldSize();
        long to = elements * (rank + 1) / worldSize();
        if (worldSize() > 1) {
            sumRange(all, from, to, all, from);
        }
        depart();
    }

    @Override
    public void reduceScatterSum(Tensor whole, Tensor part) {
        requireParts(whole, part);
        Tensor[] all = meet("reduceScatterSum of %s elements".formatted(size(whole)), whole);
        long from = rank * part.elements();
        sumRange(all, from, from + part.elements(), new Tensor[] {part}, 0);
        depart();
    }

    @Override
    public void allGather(Tensor part, Tensor whole) {
        requireParts(whole, part);
        Tensor[] all = meet("allGather to %s elements".formatted(size(whole)), part);
        for (int other = 0; other < worldSize(); other++) {
            copy(all[other], range(whole, other * part.elements(), (other + 1) * part.elements()));
        }
        depart();
    }

    @Override
    public void broadcast(Tensor tensor, int root) {
        if (root < 0 || root >= worldSize()) {
            throw new IllegalArgumentException("root %d of %d ranks".formatted(root, worldSize()));
        }
        Tensor[] all = meet("broadcast from rank %d of %s elements".formatted(root, size(tensor)), tensor);
        if (rank != root) {
            copy(all[root], tensor);
        }
        depart();
    }

    @Override
    public double[] allReduceSum(double[] values) {
        return combine("allReduceSum of %d numbers".formatted(values.length), values, Double::sum);
    }

    @Override
    public double[] allReduceMax(double[] values) {
        return combine("allReduceMax of %d numbers".formatted(values.length), values, Math::max);
    }

    private double[] combine(String operation, double[] values, DoubleBinaryOperator operator) {
        double[][] all = contents(operation, values.clone(), double[][].class);
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
        return List.of(contents("allGather of messages", message.clone(), byte[][].class));
    }

    @Override
    public void barrier() {
        meeting.meet(rank, new Meeting.Offer("barrier", null));
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

    private Tensor[] meet(String operation, Tensor tensor) {
        return contents(operation, tensor.requireContiguous(), Tensor[].class);
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
            sources[0].backend().read(range(sources[0], at, at + length), sum, 0);
            for (int source = 1; source < sources.length; source++) {
                sources[source].backend().read(range(sources[source], at, at + length), term, 0);
                for (int i = 0; i < length; i++) {
                    sum[i] += term[i];
                }
            }
            long begin = targetFrom + at - from;
            for (Tensor target : targets) {
                target.backend().write(range(target, begin, begin + length), sum, 0);
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

    private static String size(Tensor tensor) {
        return tensor.elements() + " " + tensor.type();
    }

    private void requireParts(Tensor whole, Tensor part) {
        part.requireContiguous();
        if (whole.elements() != part.elements() * worldSize() || whole.type() != part.type()) {
            throw new IllegalArgumentException("%s is not %d parts like %s".formatted(whole, worldSize(), part));
        }
    }
}
