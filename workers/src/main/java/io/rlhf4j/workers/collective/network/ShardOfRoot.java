package io.rlhf4j.workers.collective.network;

import io.rlhf4j.workers.collective.network.protocol.Piece;
import java.nio.ByteBuffer;
import java.util.BitSet;

/** The own shard of a broadcast: it comes from the root, straight into the tensor. */
final class ShardOfRoot implements OwnShard {
    private final int root;
    private final Elements target;
    private final long from;
    private final Shard shard;
    private final int elementBytes;
    private Transfer.Peers peers;
    private Ready ready;
    private boolean done;

    ShardOfRoot(int root, Elements target, Cut cut, int rank) {
        this.root = root;
        this.target = target;
        this.from = cut.shards().from(rank);
        this.elementBytes = target.type().bytes();
        this.shard = cut.shard(rank, root);
        this.done = shard.isComplete();
    }

    @Override
    public void begin(Transfer.Peers allPeers, Ready listener) {
        peers = allPeers;
        ready = listener;
    }

    @Override
    public ByteBuffer place(int peer, Piece piece) {
        if (peer != root) {
            throw Shard.unexpected(peer, piece);
        }
        return target.bytes(from + piece.from(), shard.accept(piece));
    }

    @Override
    public void arrived(int peer, Piece piece) {
        peers.usedUp(peer, piece.bytes());
        done = shard.isComplete();
        ready.ready(piece.from(), piece.from() + piece.bytes() / elementBytes);
    }

    @Override
    public boolean isDone() {
        return done;
    }

    @Override
    public void addAwaited(BitSet ranks) {
        if (!done) {
            ranks.set(root);
        }
    }

    @Override
    public void release() {}
}
