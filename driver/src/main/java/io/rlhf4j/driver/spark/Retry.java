package io.rlhf4j.driver.spark;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.apache.spark.SparkException;

/** Submits again what may work a second time: Spark itself never repeats a barrier job that returns results. */
public final class Retry {
    /** A pause that is not doubled any more. */
    private static final Duration LONG = Duration.ofSeconds(30);

    private final int attempts;
    private final Duration backoff;
    private final Consumer<String> heard;

    /**
     * A limit on tries that come no further.
     *
     * @param backoff pause before the second try; it doubles from then on, until it is half a minute or more
     * @param heard told of each failure that is not the last
     */
    public Retry(int attempts, Duration backoff, Consumer<String> heard) {
        this.attempts = attempts;
        this.backoff = backoff;
        this.heard = heard;
    }

    /** What is tried: from the last checkpoint, wherever that is at each try. */
    @FunctionalInterface
    public interface Attempt<T> {
        /** Does it. */
        T run() throws Exception;
    }

    /**
     * Runs {@code attempt} until it succeeds, fails in a way that would repeat, or has failed too often.
     *
     * @param what for messages: {@code sft}
     * @param committed how far the work is for good; tries count from 1 again where that has grown
     */
    public <T> T run(String what, LongSupplier committed, Attempt<T> attempt) {
        long before = committed.getAsLong();
        for (int tries = 1; ; tries++) {
            try {
                return attempt.run();
            } catch (Exception failed) {
                Rlhf4jException error = explain(what, failed);
                long now = committed.getAsLong();
                if (now > before) {
                    tries = 1;
                    before = now;
                }
                if (error.kind() != ErrorKind.RETRYABLE || tries == attempts) {
                    throw error;
                }
                Duration pause = pause(tries);
                heard.accept("%s failed (try %d of %d): %s; again from the last checkpoint in %d s"
                        .formatted(what, tries, attempts, error.getMessage(), pause.toSeconds()));
                sleep(pause);
            }
        }
    }

    /** Whether Spark says that a job was cancelled by somebody who wants it to end; a lost application is something else. */
    static boolean isCancelled(String message) {
        return message.contains("cancelled") && !message.contains("SparkContext was shut down");
    }

    private static Rlhf4jException explain(String what, Exception failed) {
        // A task's own failure lies under what Spark says of it.
        for (Throwable cause = failed; cause != null; cause = cause.getCause()) {
            if (cause instanceof Rlhf4jException known) {
                return known;
            }
        }
        if (failed instanceof SparkException && isCancelled(String.valueOf(failed.getMessage()))) {
            return new Rlhf4jException(ErrorKind.INTERRUPTED, what + " was interrupted; run again to go on", failed);
        }
        return new Rlhf4jException(ErrorKind.RETRYABLE, what + ": " + failed.getMessage(), failed);
    }

    /** Where many tries are allowed the pauses do not grow beyond all use. */
    private Duration pause(int tries) {
        Duration pause = backoff;
        for (int doubled = 1; doubled < tries && pause.compareTo(LONG) < 0; doubled++) {
            pause = pause.multipliedBy(2);
        }
        return pause;
    }

    private static void sleep(Duration pause) {
        try {
            Thread.sleep(pause.toMillis());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new Rlhf4jException(ErrorKind.INTERRUPTED, "interrupted between two tries", interrupted);
        }
    }
}
