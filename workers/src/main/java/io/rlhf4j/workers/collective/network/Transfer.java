package io.rlhf4j.workers.collective.network;

import io.rlhf4j.workers.collective.network.protocol.Piece;
import java.nio.ByteBuffer;
import java.util.BitSet;

/** What an operation moves, seen from one rank: it says what goes to whom, and where what comes belongs. */
interface Transfer {
    /** The way to the peers. */
    interface Peers {
        /** Sends elements to a peer, behind those that wait already. */
        void send(int peer, Outgoing outgoing);

        /** Lets a peer send as many bytes more. */
        void usedUp(int peer, int bytes);
    }

    /** Nothing is moved: an operation whose ranks bring messages or nothing. */
    Transfer NOTHING = new Transfer() {
        @Override
        public void begin(Exchange exchange, Peers peers) {}

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
    };

    /** Sends what can be sent already. */
    void begin(Exchange exchange, Peers peers);

    /** Where the bytes of a piece go. */
    ByteBuffer place(int peer, Piece piece);

    /** The piece that was placed last for this peer is there. */
    void arrived(int peer, Piece piece);

    /** Whether all that comes has come. */
    boolean isDone();

    /** Adds the ranks from which something has still to come. */
    void addAwaited(BitSet ranks);

    /** Frees buffers; the operation will not go on. */
    void release();
}
