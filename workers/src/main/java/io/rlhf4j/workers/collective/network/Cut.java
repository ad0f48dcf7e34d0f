package io.rlhf4j.workers.collective.network;

import io.rlhf4j.tensor.DType;
import io.rlhf4j.workers.collective.Shards;

/**
 * How a tensor is cut: in a shard for each rank, and each shard in pieces that are sent one by one.
 *
 * @param wire the type in which pieces are sent
 * @param pieceElements elements of a piece; the last of a shard may have fewer
 */
record Cut(Shards shards, DType wire, int pieceElements) {
    /** Cut so that a piece has at most {@code pieceBytes} bytes. */
    static Cut of(Shards shards, DType wire, int pieceBytes) {
        return new Cut(shards, wire, pieceBytes / wire.bytes());
    }

    /** The shard of {@code owner} on its way from {@code peer}. */
    Shard shard(int owner, int peer) {
        return new Shard(peer, shards.size(owner), pieceElements, wire.bytes());
    }
}
