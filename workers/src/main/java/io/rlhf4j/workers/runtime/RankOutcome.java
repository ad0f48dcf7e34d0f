package io.rlhf4j.workers.runtime;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.workers.collective.CollectiveException;
import java.io.PrintWriter;
import java.io.Serializable;
import java.io.StringWriter;

/**
 * How a rank ended. Failures travel as values: the driver then sees all of them, and the kind of the first cause.
 *
 * @param rank which
 * @param host where
 * @param executor in which executor, by Spark's name for it
 * @param value the result; null after a failure
 * @param failure null after success
 */
public record RankOutcome(int rank, String host, String executor, Object value, Failure failure)
        implements Serializable {
    /**
     * Why a rank failed.
     *
     * @param kind what the exit code follows from
     * @param message in a sentence
     * @param stackTrace for the log
     * @param echo whether it only says that another rank failed
     */
    public record Failure(ErrorKind kind, String message, String stackTrace, boolean echo) implements Serializable {
        /** The failure that {@code thrown} is. */
        public static Failure of(Throwable thrown) {
            StringWriter trace = new StringWriter();
            thrown.printStackTrace(new PrintWriter(trace));
            ErrorKind kind = thrown instanceof Rlhf4jException known ? known.kind() : ErrorKind.RETRYABLE;
            String message = thrown instanceof Rlhf4jException ? thrown.getMessage() : thrown.toString();
            return new Failure(kind, message, trace.toString(), thrown instanceof CollectiveException);
        }
    }

    /** A rank that did what it should. */
    public static RankOutcome done(int rank, String host, String executor, Object value) {
        return new RankOutcome(rank, host, executor, value, null);
    }

    /** A rank that failed. */
    public static RankOutcome failed(int rank, String host, String executor, Throwable thrown) {
        return new RankOutcome(rank, host, executor, null, Failure.of(thrown));
    }
}
