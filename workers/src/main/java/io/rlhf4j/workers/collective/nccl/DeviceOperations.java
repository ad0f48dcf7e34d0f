package io.rlhf4j.workers.collective.nccl;

import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import io.rlhf4j.workers.collective.Shards;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Operations on tensors of one device as moves between devices and sums on each. NCCL's own sums have an order that depends
 * on how the devices are connected; here every rank is sent all contributions to its shard and adds them up in the order of
 * the ranks, in fp32. That moves as many bytes as a sum along a ring.
 */
final class DeviceOperations {
    private static final int ALIGNED_ELEMENTS = 64;

    private final Links links;
    private final Backend backend;
    private final int rank;
    private final int worldSize;
    private final boolean sumsRounded;
    private final long scratchBytes;
    private final Runnable untilReady;
    private long sentBytes;
    private long receivedBytes;

    /**
     * The operations of one rank.
     *
     * @param sumType BF16 sums FP32 tensors as though they were BF16
     * @param scratchBytes what a sum may use beside its tensors, about
     * @param untilReady waits until the links are ready; throws where they never will be
     */
    DeviceOperations(Links links, int rank, int worldSize, DType sumType, long scratchBytes, Runnable untilReady) {
        this.links = links;
        this.backend = links.backend();
        this.rank = rank;
        this.worldSize = worldSize;
        this.sumsRounded = sumType == DType.BF16;
        this.scratchBytes = scratchBytes;
        this.untilReady = untilReady;
    }

    void allReduceSum(Tensor tensor) {
        Shards shards = Shards.even(tensor.elements(), worldSize);
        Tensor own = shard(tensor, shards, rank);
        reduceScatterSum(tensor, shards, own);
        allGather(own, shards, tensor);
    }

    /** A piece of every shard at a time, so that what arrives has room. */
    void reduceScatterSum(Tensor whole, Shards shards, Tensor part) {
        long largest =
                IntStream.range(0, worldSize).mapToLong(shards::size).max().orElseThrow();
        int piece = (int) Math.min(largest, pieceElements());
        try (Scope scratch = Scope.root(backend, "sum over ranks")) {
            Tensor sum = scratch.allocate(DType.FP32, piece);
            Tensor[] arriving = new Tensor[worldSize];
            Tensor[] rounded = new Tensor[worldSize];
            for (int each = 0; each < worldSize; each++) {
                arriving[each] = each == rank ? null : scratch.allocate(wire(whole), piece);
                rounded[each] = wire(whole) == whole.type() ? null : scratch.allocate(wire(whole), piece);
            }
            for (long from = 0; from < largest; from += piece) {
                Tensor[] brought = new Tensor[worldSize];
                for (int each = 0; each < worldSize; each++) {
                    long begin = Math.min(from, shards.size(each));
                    long end = Math.min(from + piece, shards.size(each));
                    Tensor original = range(whole, shards.from(each) + begin, shards.from(each) + end);
                    brought[each] = rounded[each] == null ? original : copied(original, rounded[each]);
                }
                Tensor result = range(part, Math.min(from, part.elements()), Math.min(from + piece, part.elements()));
                Tensor[] terms = exchange(brought, arriving, result.columns());
                add(terms, sum.slice(0, result.columns()));
                finish(sum.slice(0, result.columns()), rounded[rank], result);
            }
        }
    }

    /** Sends every rank its piece, and receives this rank's from all: the terms of the sum, by rank. */
    private Tensor[] exchange(Tensor[] brought, Tensor[] arriving, int elements) {
        Tensor[] terms = new Tensor[worldSize];
        List<Move> moves = new ArrayList<>();
        for (int each = 0; each < worldSize; each++) {
            if (each == rank) {
                terms[each] = brought[each];
            } else {
                terms[each] = arriving[each].slice(0, elements);
                moves.add(Move.send(brought[each], each));
                moves.add(Move.receive(terms[each], each));
            }
        }
        move(moves);
        return terms;
    }

    /** ((r0 + r1) + r2) + ... */
    private void add(Tensor[] terms, Tensor sum) {
        backend.copy(terms[0], sum);
        for (int each = 1; each < worldSize; each++) {
            backend.add(sum, terms[each], sum);
        }
    }

    private void finish(Tensor sum, Tensor rounded, Tensor result) {
        backend.copy(rounded == null ? sum : copied(sum, rounded), result);
    }

    void allGather(Tensor part, Shards shards, Tensor whole) {
        Tensor own = shard(whole, shards, rank);
        if (part.storage() != own.storage() || part.offset() != own.offset()) {
            backend.copy(part.flatten(), own);
        }
        boolean equal = IntStream.range(0, worldSize).allMatch(each -> shards.size(each) == own.elements());
        if (equal) {
            move(List.of(Move.gather(whole)));
        } else {
            move(IntStream.range(0, worldSize)
                    .mapToObj(each -> Move.broadcast(shard(whole, shards, each), each))
                    .toList());
        }
    }

    void broadcast(Tensor tensor, int root) {
        move(List.of(Move.broadcast(tensor, root)));
    }

    /** Begins those moves that have elements, and waits until other work may be put behind them. */
    private void move(List<Move> moves) {
        List<Move> filled =
                moves.stream().filter(move -> move.tensor().elements() > 0).toList();
        if (!filled.isEmpty()) {
            links.begin(filled);
            untilReady.run();
            filled.forEach(move -> sentBytes += move.sentBytes(rank, worldSize));
            filled.forEach(move -> receivedBytes += move.receivedBytes(rank, worldSize));
        }
    }

    /** Bytes that this rank has given to the links so far. */
    long sentBytes() {
        return sentBytes;
    }

    /** Bytes that this rank has been given by the links so far. */
    long receivedBytes() {
        return receivedBytes;
    }

    private DType wire(Tensor whole) {
        return sumsRounded ? DType.BF16 : whole.type();
    }

    /** Elements of a piece: an fp32 sum and, for each rank, an fp32 term or two of bf16. The same on all ranks. */
    private long pieceElements() {
        long most = scratchBytes / (DType.FP32.bytes() * (worldSize + 1L));
        long aligned = most / ALIGNED_ELEMENTS * ALIGNED_ELEMENTS;
        return Math.min(Integer.MAX_VALUE, Math.max(1, aligned == 0 ? most : aligned));
    }

    /** Puts {@code source} into as many elements of {@code target}, which are returned. */
    private Tensor copied(Tensor source, Tensor target) {
        Tensor beginning = target.slice(0, source.columns());
        backend.copy(source, beginning);
        return beginning;
    }

    private static Tensor shard(Tensor whole, Shards shards, int rank) {
        return range(whole, shards.from(rank), shards.to(rank));
    }

    /** Elements from..to in order, whatever the shape; offsets are long because a tensor may be large. */
    private static Tensor range(Tensor tensor, long from, long to) {
        return Tensor.of(
                tensor.backend(), tensor.storage(), tensor.type(), tensor.offset() + from, Math.toIntExact(to - from));
    }
}
