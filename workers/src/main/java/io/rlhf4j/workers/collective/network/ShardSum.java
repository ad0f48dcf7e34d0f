package io.rlhf4j.workers.collective.network;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.rlhf4j.tensor.Bfloat16;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.workers.collective.network.protocol.Piece;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * The own shard of a sum. Pieces come from all ranks in any order and wait for their turn: each element is the sum
 * ((r0 + r1) + r2) + ..., in fp32, whatever the network did.
 */
final class ShardSum implements OwnShard {
    private static final int ADDED_AT_ONCE = 4 << 10;

    private final int rank;
    private final Elements own;
    private final long ownFrom;
    private final Elements target;
    private final long targetFrom;
    private final long elements;
    private final DType wire;
    private final int pieceElements;
    private final List<Shard> shards = new ArrayList<>();
    private final List<ArrayDeque<ByteBuf>> waiting = new ArrayList<>();
    private final ByteBuf[] filling;
    private final float[] sum;
    private final float[] term;
    private Transfer.Peers peers;
    private Ready ready;
    /** Elements before this one are done. */
    private long done;
    /** The rank whose piece is added next to the elements from {@link #done} on. */
    private int turn;

    /**
     * The sum of this rank's shard. All contributions, this rank's too, and the sum are rounded to the wire's type.
     *
     * @param whole what this rank brings: [shards.elements]
     * @param target where the sum goes, from element {@code targetFrom} on; it may be the own shard of {@code whole}
     */
    ShardSum(int rank, Cut cut, Elements whole, Elements target, long targetFrom) {
        this.rank = rank;
        this.own = whole;
        this.ownFrom = cut.shards().from(rank);
        this.target = target;
        this.targetFrom = targetFrom;
        this.elements = cut.shards().size(rank);
        this.wire = cut.wire();
        this.pieceElements = cut.pieceElements();
        int ranks = cut.shards().ranks();
        this.filling = new ByteBuf[ranks];
        for (int peer = 0; peer < ranks; peer++) {
            shards.add(cut.shard(rank, peer));
            waiting.add(new ArrayDeque<>());
        }
        this.sum = new float[(int) Math.min(pieceElements, elements)];
        this.term = new float[Math.min(ADDED_AT_ONCE, sum.length)];
    }

    @Override
    public void begin(Transfer.Peers allPeers, Ready listener) {
        peers = allPeers;
        ready = listener;
        advance();
    }

    @Override
    public ByteBuffer place(int peer, Piece piece) {
        shards.get(peer).accept(piece);
        filling[peer] = PooledByteBufAllocator.DEFAULT.directBuffer(piece.bytes());
        return filling[peer].internalNioBuffer(0, piece.bytes());
    }

    @Override
    public void arrived(int peer, Piece piece) {
        waiting.get(peer).add(filling[peer].writerIndex(piece.bytes()));
        filling[peer] = null;
        if (peer == turn) {
            advance();
        }
    }

    private void advance() {
        while (done < elements) {
            int count = (int) Math.min(pieceElements, elements - done);
            while (turn < waiting.size()) {
                if (!take(count)) {
                    return;
                }
                turn++;
            }
            finish(count);
        }
    }

    /** Adds the piece of the rank whose turn it is, if it is there. */
    private boolean take(int count) {
        if (turn == rank) {
            add(own.bytes(ownFrom + done, count), own.type(), count);
            return true;
        }
        ByteBuf piece = waiting.get(turn).poll();
        if (piece == null) {
            return false;
        }
        add(piece.internalNioBuffer(0, piece.writerIndex()), wire, count);
        peers.usedUp(turn, piece.writerIndex());
        piece.release();
        return true;
    }

    /** Adds numbers a few at a time, which stay in the cache meanwhile. */
    private void add(ByteBuffer bytes, DType type, int count) {
        if (turn == 0) {
            Elements.read(bytes, 0, type, sum, 0, count);
            round(sum, count);
            return;
        }
        for (int from = 0; from < count; from += ADDED_AT_ONCE) {
            int numbers = Math.min(ADDED_AT_ONCE, count - from);
            Elements.read(bytes, from, type, term, 0, numbers);
            round(term, numbers);
            for (int i = 0; i < numbers; i++) {
                sum[from + i] += term[i];
            }
        }
    }

    private void finish(int count) {
        round(sum, count);
        Elements.write(sum, count, target.type(), target.bytes(targetFrom + done, count));
        long from = done;
        done += count;
        turn = 0;
        ready.ready(from, done);
    }

    private void round(float[] numbers, int count) {
        if (wire == DType.BF16) {
            for (int i = 0; i < count; i++) {
                numbers[i] = Bfloat16.round(numbers[i]);
            }
        }
    }

    @Override
    public boolean isDone() {
        return done == elements;
    }

    @Override
    public void addAwaited(BitSet ranks) {
        if (!isDone()) {
            ranks.set(turn);
        }
    }

    @Override
    public void release() {
        for (int peer = 0; peer < filling.length; peer++) {
            waiting.get(peer).forEach(ByteBuf::release);
            waiting.get(peer).clear();
            if (filling[peer] != null) {
                filling[peer].release();
                filling[peer] = null;
            }
        }
    }
}
