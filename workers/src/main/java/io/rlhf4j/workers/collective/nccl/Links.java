package io.rlhf4j.workers.collective.nccl;

import io.rlhf4j.tensor.Backend;
import java.util.List;

/**
 * The way from device to device among the ranks of a group. No call waits for other ranks: whoever waits asks
 * {@link #isReady} and {@link #isDone} again and again. They throw where a move cannot be done.
 */
interface Links extends AutoCloseable {
    /** How ranks come to have links. */
    interface Joining {
        /** Whether tensors of {@code backend} can be moved. */
        boolean drives(Backend backend);

        /** What one rank makes and tells all others, for them to join by. */
        byte[] newIdentity();

        /** Begins to join: all have when the links are ready. */
        Links join(Backend backend, byte[] identity, int rank, int worldSize);
    }

    /** Whose tensors are moved. */
    Backend backend();

    /** Begins some moves, all at once: none waits for another. All ranks begin theirs. */
    void begin(List<Move> moves);

    /** Whether what the backend is asked for from here on takes place behind the moves that were begun. */
    boolean isReady();

    /** Whether all moves, and what the backend was asked for behind them, have taken place. */
    boolean isDone();

    /** Ends the moves under way. What their tensors hold is not known, but nobody writes to them any more. */
    void abort();

    /** Leaves; no move is under way. */
    @Override
    void close();
}
