package io.rlhf4j.workers.collective.network;

import io.rlhf4j.workers.collective.network.protocol.Piece;
import java.nio.ByteBuffer;
import java.util.BitSet;

/** How this rank comes by the shard of the result that it owns. */
interface OwnShard {
    /** Told of elements of the own shard that are as they will be. */
    interface Ready {
        void ready(long from, long end);
    }

    /** Begins; what is ready already is told at once, and the rest in order. */
    void begin(Transfer.Peers peers, Ready ready);

    /** Where a peer's contribution goes. */
    ByteBuffer place(int peer, Piece piece);

    /** The contribution that was placed last for this peer is there. */
    void arrived(int peer, Piece piece);

    boolean isDone();

    /** Adds the ranks whose contributions have still to come. */
    void addAwaited(BitSet ranks);

    /** Frees buffers. */
    void release();
}
