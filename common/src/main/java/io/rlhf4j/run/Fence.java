package io.rlhf4j.run;

import io.rlhf4j.error.Rlhf4jException;
import java.io.Serializable;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * Keeps out a writer whose time is over: a driver that was stopped, replaced and continued, or a task that such a driver
 * left behind. Asked before whatever others build on is written; travels to the executors with their tasks.
 */
public interface Fence extends Serializable {
    /** Which start of the run writes: each has a higher number than the one before it. 0 where nobody counts. */
    long epoch();

    /**
     * Lets the writer pass.
     *
     * @param path what is to be written
     * @throws Rlhf4jException of kind RETRYABLE where a later start of the run has taken over
     */
    void pass(Path path, Configuration hadoop);

    /** Lets everybody pass: for readers, and for files that belong to no run. */
    static Fence open() {
        return Open.FENCE;
    }

    /** The fence that is open. */
    enum Open implements Fence {
        /** The only one. */
        FENCE;

        @Override
        public long epoch() {
            return 0;
        }

        @Override
        public void pass(Path path, Configuration hadoop) {}
    }
}
