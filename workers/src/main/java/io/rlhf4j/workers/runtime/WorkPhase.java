package io.rlhf4j.workers.runtime;

import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a task is at. Each beginning is a line in its executor's log, so that whoever looks for a slow, hung or dead rank sees
 * where it was: {@code phase publish: rank 0, iteration 7}.
 */
public enum WorkPhase {
    /** Models are read from published weights, a checkpoint or where the step begins. */
    LOAD,
    /** Answers are sampled. */
    GENERATE,
    /** Rewards, log-probabilities and values of sampled answers are computed. */
    SCORE,
    /** Optimizer steps. */
    UPDATE,
    /** New weights are written for the next rollouts. */
    PUBLISH,
    /**
     * The rank's part of a checkpoint is written, or copied to be written beside what comes next; its end is a line of its own
     * then: {@code checkpoint written: rank 0 of 2, step 7}.
     */
    CHECKPOINT,
    /** The task is over. */
    IDLE;

    private static final Logger LOG = LoggerFactory.getLogger(WorkPhase.class);

    /**
     * Says that the phase begins, and so that the one before is over.
     *
     * @param of what of: {@code rank 0, iteration 7}
     */
    public void begins(String of) {
        LOG.info("phase {}: {}", name().toLowerCase(Locale.ROOT), of);
    }
}
