package io.rlhf4j.workers.collective.network;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.workers.collective.Shards;
import io.rlhf4j.workers.collective.network.protocol.Piece;
import java.nio.ByteBuffer;
import java.util.BitSet;

/** The shards of the other ranks, as they come: straight to where they belong, or widened on their way. */
final class ResultShards {
    private final Elements target;
    private final Shards shards;
    private final DType wire;
    private final Shard[] expected;
    private final ByteBuf[] filling;
    private final BitSet awaited = new BitSet();

    /** @param from the ranks whose shards come, as far as they have elements */
    ResultShards(Elements target, Cut cut, BitSet from) {
        this.target = target;
        this.shards = cut.shards();
        this.wire = cut.wire();
        this.expected = new Shard[shards.ranks()];
        this.filling = new ByteBuf[shards.ranks()];
        from.stream().filter(peer -> shards.size(peer) > 0).forEach(peer -> {
            expected[peer] = cut.shard(peer, peer);
            awaited.set(peer);
        });
    }

    ByteBuffer place(int peer, Piece piece) {
        if (expected[peer] == null) {
            throw Shard.unexpected(peer, piece);
        }
        int count = expected[peer].accept(piece);
        if (wire == target.type()) {
            return target.bytes(shards.from(peer) + piece.from(), count);
        }
        filling[peer] = PooledByteBufAllocator.DEFAULT.directBuffer(piece.bytes());
        return filling[peer].internalNioBuffer(0, piece.bytes());
    }

    void arrived(int peer, Piece piece) {
        if (filling[peer] != null) {
            int count = piece.bytes() / wire.bytes();
            float[] numbers = new float[count];
            Elements.read(filling[peer].internalNioBuffer(0, piece.bytes()), wire, numbers, count);
            Elements.write(numbers, count, target.type(), target.bytes(shards.from(peer) + piece.from(), count));
            release(peer);
        }
        if (expected[peer].isComplete()) {
            awaited.clear(peer);
        }
    }

    boolean isDone() {
        return awaited.isEmpty();
    }

    void addAwaited(BitSet ranks) {
        ranks.or(awaited);
    }

    void release() {
        for (int peer = 0; peer < filling.length; peer++) {
            release(peer);
        }
    }

    private void release(int peer) {
        if (filling[peer] != null) {
            filling[peer].release();
            filling[peer] = null;
        }
    }
}
