package io.rlhf4j.workers.collective;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;

/** A group of ranks has ended. The message names the rank that failed first and what happened there; so does the cause. */
public final class CollectiveException extends Rlhf4jException {
    private static final long serialVersionUID = 1L;

    private final int firstRank;

    /**
     * The end of a group.
     *
     * @param kind the kind of the first cause, where it has one: what a user can mend stays that
     * @param firstRank the rank that failed first
     * @param cause the first failure; null where there is no exception behind it
     */
    public CollectiveException(ErrorKind kind, int firstRank, String message, Throwable cause) {
        super(kind, message, cause);
        this.firstRank = firstRank;
    }

    /** The rank that failed first. */
    public int firstRank() {
        return firstRank;
    }
}
