package io.rlhf4j.workers.collective.network;

import io.rlhf4j.workers.collective.Shards;
import io.rlhf4j.workers.collective.network.protocol.Phase;
import io.rlhf4j.workers.collective.network.protocol.Piece;
import java.nio.ByteBuffer;
import java.util.BitSet;
import java.util.function.IntConsumer;

/**
 * What all operations on tensors are made of: contributions go to the ranks that own their shard, each rank comes by its
 * {@link OwnShard}, and results go from the owners to all others.
 */
final class ShardTransfer implements Transfer {
    private final int rank;
    private final Cut cut;
    private final OwnShard own;
    private final Elements contributions;
    private final Elements results;
    private final long ownResultFrom;
    private final BitSet takers;
    private final ResultShards incoming;
    private Peers peers;

    /**
     * A transfer.
     *
     * @param contributions what this rank brings, of which every other rank is sent its shard; null for nothing
     * @param results where the own shard is read from when it is sent on
     * @param ownResultFrom where the own shard begins in {@code results}
     * @param takers the ranks to which this one sends its shard of the result
     * @param incoming the shards that come from others
     */
    ShardTransfer(
            int rank,
            Cut cut,
            OwnShard own,
            Elements contributions,
            Elements results,
            long ownResultFrom,
            BitSet takers,
            ResultShards incoming) {
        this.rank = rank;
        this.cut = cut;
        this.own = own;
        this.contributions = contributions;
        this.results = results;
        this.ownResultFrom = ownResultFrom;
        this.takers = takers;
        this.incoming = incoming;
    }

    @Override
    public void begin(Exchange exchange, Peers allPeers) {
        peers = allPeers;
        if (contributions != null) {
            Shards shards = cut.shards();
            forOthers(peer -> send(
                    peer,
                    new Outgoing(
                            exchange,
                            Phase.CONTRIBUTION,
                            contributions,
                            shards.from(peer),
                            0,
                            shards.size(peer),
                            cut)));
        }
        own.begin(
                allPeers,
                (from, end) -> forOthers(peer -> {
                    if (takers.get(peer)) {
                        send(peer, new Outgoing(exchange, Phase.RESULT, results, ownResultFrom, from, end, cut));
                    }
                }));
    }

    /** Each rank begins with its successor, so that not all send to the same one at first. */
    private void forOthers(IntConsumer action) {
        int ranks = cut.shards().ranks();
        for (int i = 1; i < ranks; i++) {
            action.accept((rank + i) % ranks);
        }
    }

    private void send(int peer, Outgoing outgoing) {
        if (!outgoing.isEmpty()) {
            peers.send(peer, outgoing);
        }
    }

    @Override
    public ByteBuffer place(int peer, Piece piece) {
        return switch (piece.phase()) {
            case CONTRIBUTION -> own.place(peer, piece);
            case RESULT -> incoming.place(peer, piece);
        };
    }

    @Override
    public void arrived(int peer, Piece piece) {
        switch (piece.phase()) {
            case CONTRIBUTION -> own.arrived(peer, piece);
            case RESULT -> {
                incoming.arrived(peer, piece);
                peers.usedUp(peer, piece.bytes());
            }
        }
    }

    @Override
    public boolean isDone() {
        return own.isDone() && incoming.isDone();
    }

    @Override
    public void addAwaited(BitSet ranks) {
        own.addAwaited(ranks);
        incoming.addAwaited(ranks);
    }

    @Override
    public void release() {
        own.release();
        incoming.release();
    }
}
