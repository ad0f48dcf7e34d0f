package io.rlhf4j.workers.collective.network;

import io.rlhf4j.workers.collective.network.protocol.Piece;
import java.nio.ByteBuffer;
import java.util.BitSet;

/** The own shard of a gather, or of the root of a broadcast: this rank has it. */
record ShardAtHand(long elements) implements OwnShard {
    @Override
    public void begin(Transfer.Peers peers, Ready ready) {
        ready.ready(0, elements);
    }

    @Override
    public ByteBuffer place(int peer, Piece piece) {
        throw Shard.unexpected(peer, piece);
    }

    @Override
    public void arrived(int peer, Piece piece) {}

    @Override
    public boolean isDone() {
        return true;
    }

    @Override
    public void addAwaited(BitSet ranks) {}

    @Override
    public void release() {}
}
