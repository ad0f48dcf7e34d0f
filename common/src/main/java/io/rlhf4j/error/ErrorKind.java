package io.rlhf4j.error;

/** Kinds of failure, each with the exit code by which a scheduler tells them apart. */
public enum ErrorKind {
    /** Configuration, or files that contradict it (a model of another shape or vocabulary). */
    CONFIGURATION(2),
    /** Data: corrupt rows, empty data sets, damaged files. */
    DATA(3),
    /** The cluster or machine cannot run this: too few slots, no such device. */
    CLUSTER(4),
    /** Failed, but a new try may work: lost executors, a full disk. */
    RETRYABLE(5),
    /** Stopped by the user. */
    INTERRUPTED(130);

    private final int exitCode;

    ErrorKind(int exitCode) {
        this.exitCode = exitCode;
    }

    public int exitCode() {
        return exitCode;
    }
}
