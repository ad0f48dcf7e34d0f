package io.rlhf4j.workers.collective;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.time.Duration;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * Why a group has ended. The first failure of a group is kept, and every call of every rank ends with it.
 *
 * @param kind what a user can mend stays that on all ranks
 * @param firstRank the rank that failed first
 * @param message what happened there
 * @param cause null on the ranks that only hear of it, and where there is no exception behind it
 */
public record GroupFailure(ErrorKind kind, int firstRank, String message, Throwable cause) {
    /**
     * A rank aborts the group.
     *
     * @param where behind "failed", where it is: empty within a JVM
     */
    public static GroupFailure aborted(int rank, String where, Throwable cause) {
        ErrorKind kind = cause instanceof Rlhf4jException known ? known.kind() : ErrorKind.RETRYABLE;
        return new GroupFailure(kind, rank, "rank %d failed%s: %s".formatted(rank, where, cause), cause);
    }

    /** Two ranks call different operations, or with different sizes. */
    public static GroupFailure disagreement(int rank, String operation, int other, String otherOperation) {
        boolean inOrder = rank < other;
        return failed(
                Math.max(rank, other),
                "ranks disagree: rank %d calls %s, rank %d calls %s",
                Math.min(rank, other),
                inOrder ? operation : otherOperation,
                Math.max(rank, other),
                inOrder ? otherOperation : operation);
    }

    /** Some ranks have not come, or not done their share, within the deadline. */
    public static GroupFailure waitedInVain(int rank, Duration deadline, int[] absent, String operation) {
        return failed(
                absent[0],
                "rank %d waited %s for rank(s) %s at %s: dead, or much slower than the others?",
                rank,
                text(deadline),
                Arrays.stream(absent).mapToObj(Integer::toString).collect(Collectors.joining(", ")),
                operation);
    }

    /** A rank has closed its end while others have not. */
    public static GroupFailure hasLeft(int rank, String operation) {
        return failed(rank, "rank %d has left the group, the others are at %s", rank, operation);
    }

    /** Somebody interrupted a waiting rank: the user, or Spark when it kills a task. */
    public static GroupFailure interrupted(int rank, String operation, InterruptedException cause) {
        String message = "rank %d was interrupted while it waited at %s".formatted(rank, operation);
        return new GroupFailure(ErrorKind.INTERRUPTED, rank, message, cause);
    }

    private static GroupFailure failed(int rank, String format, Object... arguments) {
        return new GroupFailure(ErrorKind.RETRYABLE, rank, format.formatted(arguments), null);
    }

    private static String text(Duration duration) {
        return duration.toMillis() < 10_000 ? duration.toMillis() + " ms" : duration.toSeconds() + " s";
    }

    /** What a call ends with: each gets an exception of its own, because stack traces are not shared among threads. */
    public CollectiveException exception() {
        return new CollectiveException(kind, firstRank, message, cause);
    }
}
