package io.rlhf4j.workers.collective.network;

import io.rlhf4j.workers.collective.network.protocol.Piece;
import io.rlhf4j.workers.collective.network.protocol.ProtocolException;

/** A shard on its way from a peer: its pieces come from the first to the last, all of one size but the last. */
final class Shard {
    private final int peer;
    private final long elements;
    private final int pieceElements;
    private final int elementBytes;
    private long next;

    Shard(int peer, long elements, int pieceElements, int elementBytes) {
        this.peer = peer;
        this.elements = elements;
        this.pieceElements = pieceElements;
        this.elementBytes = elementBytes;
    }

    /** The elements of {@code piece}, which has to be the next. */
    int accept(Piece piece) {
        int expected = (int) Math.min(pieceElements, elements - next);
        if (piece.from() != next || piece.bytes() != expected * elementBytes || expected == 0) {
            throw unexpected(peer, piece);
        }
        next += expected;
        return expected;
    }

    /** Whether the place of the last element has been given out. */
    boolean isComplete() {
        return next == elements;
    }

    static ProtocolException unexpected(int peer, Piece piece) {
        return new ProtocolException(
                "rank %d sends %s, which is not what the operation has next".formatted(peer, piece));
    }
}
