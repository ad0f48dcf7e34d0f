package io.rlhf4j.driver.spark;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.time.Duration;
import java.util.function.Consumer;
import org.apache.spark.SparkException;

/** Submits again what may work a second time: Spark itself never repeats a barrier job that returns results. */
public final class Retry {
    private final int attempts;
    private final Duration backoff;
    private final Consumer<String> heard;

    /**
     * A limit on tries.
     *
     * @param backoff pause before the second try; it doubles from then on
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
     */
    public <T> T run(String what, Attempt<T> attempt) {
        for (int tries = 1; ; tries++) {
            try {
                return attempt.run();
            } catch (Exception failed) {
                Rlhf4jException error = explain(what, failed);
                if (error.kind() != ErrorKind.RETRYABLE || tries == attempts) {
                    throw error;
                }
                Duration pause = backoff.multipliedBy(1L << (tries - 1));
                heard.accept("%s failed (try %d of %d): %s; again from the last checkpoint in %d s"
                        .formatted(what, tries, attempts, error.getMessage(), pause.toSeconds()));
                sleep(pause);
            }
        }
    }

    private static Rlhf4jException explain(String what, Exception failed) {
        // A task's own failure lies under what Spark says of it.
        for (Throwable cause = failed; cause != null; cause = cause.getCause()) {
            if (cause instanceof Rlhf4jException known) {
                return known;
            }
        }
        if (failed instanceof SparkException
                && String.valueOf(failed.getMessage()).contains("cancelled")) {
            return new Rlhf4jException(ErrorKind.INTERRUPTED, what + " was interrupted; run again to go on", failed);
        }
        return new Rlhf4jException(ErrorKind.RETRYABLE, what + ": " + failed.getMessage(), failed);
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
