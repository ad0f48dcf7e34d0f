package io.rlhf4j.driver.data;

/** A row cannot be used; the message says why, in a clause that is the same for all rows of that kind. */
final class UnusableRowException extends Exception {
    private static final long serialVersionUID = 1L;

    private final boolean dropped;

    private UnusableRowException(String reason, boolean dropped) {
        super(reason, null, false, false);
        this.dropped = dropped;
    }

    /** The row is damaged or does not fit the mapping: it goes to quarantine. */
    static UnusableRowException unusable(String reason) {
        return new UnusableRowException(reason, false);
    }

    /** The row is sound, but no row to train on: it is left out and counted. */
    static UnusableRowException dropped(String reason) {
        return new UnusableRowException(reason, true);
    }

    boolean dropped() {
        return dropped;
    }
}
