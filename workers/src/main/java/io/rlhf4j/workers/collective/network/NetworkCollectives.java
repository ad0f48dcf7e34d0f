package io.rlhf4j.workers.collective.network;

import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Tensor;
import io.rlhf4j.workers.collective.CollectiveMetrics;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.GroupFailure;
import io.rlhf4j.workers.collective.Operations;
import io.rlhf4j.workers.collective.Pending;
import io.rlhf4j.workers.collective.Shards;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.DoubleBinaryOperator;

/** A rank's end of a {@link NetworkGroup}: it describes operations, hands them to the group's thread, and waits. */
final class NetworkCollectives implements Collectives {
    private static final byte[] NOTHING = {};

    private final int rank;
    private final int worldSize;
    private final NetworkSettings settings;
    private final Group group;
    private final CollectiveMetrics metrics;
    private final ArrayDeque<Exchange> started = new ArrayDeque<>();
    private long sequence;
    private boolean closed;

    NetworkCollectives(int rank, int worldSize, NetworkSettings settings, Group group, CollectiveMetrics metrics) {
        this.rank = rank;
        this.worldSize = worldSize;
        this.settings = settings;
        this.group = group;
        this.metrics = metrics;
    }

    @Override
    public int rank() {
        return rank;
    }

    @Override
    public int worldSize() {
        return worldSize;
    }

    @Override
    public Pending startAllReduceSum(Tensor tensor) {
        String operation = Operations.allReduceSum(tensor);
        Cut cut = cutOfSum(Shards.even(tensor.elements(), worldSize), tensor.type());
        Elements elements = Elements.of(tensor);
        long own = cut.shards().from(rank);
        OwnShard sum = new ShardSum(rank, cut, elements, elements, own);
        ResultShards others = new ResultShards(elements, cut, others(rank));
        return start(
                operation, elements, new ShardTransfer(rank, cut, sum, elements, elements, own, others(rank), others));
    }

    @Override
    public Pending startReduceScatterSum(Tensor whole, Shards shards, Tensor part) {
        String operation = Operations.reduceScatterSum(whole, shards, part, rank);
        Cut cut = cutOfSum(shards, whole.type());
        Elements brought = Elements.of(whole);
        Elements result = Elements.of(part);
        OwnShard sum = new ShardSum(rank, cut, brought, result, 0);
        ResultShards none = new ResultShards(result, cut, new BitSet());
        return start(operation, result, new ShardTransfer(rank, cut, sum, brought, result, 0, new BitSet(), none));
    }

    @Override
    public Pending startAllGather(Tensor part, Shards shards, Tensor whole) {
        String operation = Operations.allGather(part, shards, whole, rank);
        Cut cut = Cut.of(shards, whole.type(), settings.pieceBytes());
        Elements target = Elements.of(whole);
        target.set(shards.from(rank), part);
        OwnShard own = new ShardAtHand(shards.size(rank));
        ResultShards others = new ResultShards(target, cut, others(rank));
        return start(
                operation,
                target,
                new ShardTransfer(rank, cut, own, null, target, shards.from(rank), others(rank), others));
    }

    @Override
    public Pending startBroadcast(Tensor tensor, int root) {
        String operation = Operations.broadcast(tensor, root, worldSize);
        Cut cut = Cut.of(Shards.even(tensor.elements(), worldSize), tensor.type(), settings.pieceBytes());
        Elements elements = Elements.of(tensor);
        boolean isRoot = rank == root;
        OwnShard own = isRoot ? new ShardAtHand(cut.shards().size(rank)) : new ShardOfRoot(root, elements, cut, rank);
        BitSet takers = others(rank);
        takers.clear(root);
        ResultShards others = new ResultShards(elements, cut, isRoot ? new BitSet() : others(rank));
        Elements brought = isRoot ? elements : null;
        long from = cut.shards().from(rank);
        return start(operation, elements, new ShardTransfer(rank, cut, own, brought, elements, from, takers, others));
    }

    private Cut cutOfSum(Shards shards, DType type) {
        DType wire = settings.sumType() == DType.BF16 ? DType.BF16 : type;
        return Cut.of(shards, wire, settings.pieceBytes());
    }

    private BitSet others(int self) {
        BitSet ranks = new BitSet();
        ranks.set(0, worldSize);
        ranks.clear(self);
        return ranks;
    }

    private Pending start(String operation, Elements result, Transfer transfer) {
        Exchange exchange = begin(operation, NOTHING, transfer);
        return () -> {
            if (started.contains(exchange)) {
                await(exchange);
                result.copyBack();
            }
        };
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
        ByteBuffer content = ByteBuffer.allocate(values.length * Double.BYTES);
        content.asDoubleBuffer().put(values);
        double[] combined = new double[values.length];
        double[] term = new double[values.length];
        byte[][] all = await(begin(operation, content.array(), Transfer.NOTHING));
        ByteBuffer.wrap(all[0]).asDoubleBuffer().get(combined);
        for (int other = 1; other < worldSize; other++) {
            ByteBuffer.wrap(all[other]).asDoubleBuffer().get(term);
            for (int i = 0; i < term.length; i++) {
                combined[i] = operator.applyAsDouble(combined[i], term[i]);
            }
        }
        return combined;
    }

    @Override
    public List<byte[]> allGather(byte[] message) {
        return List.of(await(begin(Operations.ALL_GATHER_OF_MESSAGES, message.clone(), Transfer.NOTHING)));
    }

    @Override
    public void agree(String operation) {
        await(begin(operation, NOTHING, Transfer.NOTHING));
    }

    @Override
    public Optional<GroupFailure> failure() {
        return Optional.ofNullable(group.failed().getNow(null));
    }

    private Exchange begin(String operation, byte[] content, Transfer transfer) {
        if (closed) {
            throw GroupFailure.hasLeft(rank, operation).exception();
        }
        Exchange exchange = new Exchange(++sequence, operation, content, transfer);
        started.add(exchange);
        group.execute(() -> group.begin(exchange));
        return exchange;
    }

    private byte[][] await(Exchange exchange) {
        Exchange.Outcome outcome = outcome(exchange);
        started.remove(exchange);
        if (outcome.failure() != null) {
            throw outcome.failure().exception();
        }
        return outcome.contents();
    }

    private Exchange.Outcome outcome(Exchange exchange) {
        try {
            return exchange.outcome().get(settings.deadline().toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException late) {
            group.execute(() -> group.timeOut(exchange));
        } catch (InterruptedException interrupted) {
            group.execute(() -> group.fail(GroupFailure.interrupted(rank, exchange.operation(), interrupted)));
            Exchange.Outcome outcome = exchange.outcome().join();
            Thread.currentThread().interrupt();
            return outcome;
        } catch (ExecutionException impossible) {
            throw new IllegalStateException(impossible);
        }
        // The group has been told to end, and the operation ends with it.
        return exchange.outcome().join();
    }

    @Override
    public CollectiveMetrics metrics() {
        return metrics;
    }

    @Override
    public void abort(Throwable cause) {
        if (!closed) {
            group.execute(() -> group.abort(cause));
        }
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            group.execute(group::leave);
            // Operations that nobody awaited: their tensors may be freed from here on.
            started.forEach(exchange -> exchange.outcome().join());
            started.clear();
        }
    }
}
