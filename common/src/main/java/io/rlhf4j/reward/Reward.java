package io.rlhf4j.reward;

import java.io.IOException;
import java.util.List;

/**
 * Judges answers. An implementation of a user's has a public constructor without parameters, or one that takes a {@code
 * Map<String, String>} of settings.
 *
 * <p>Equal answers should get equal scores in any grouping: a retried task calls again. One thread calls at a time.
 */
public interface Reward extends AutoCloseable {
    /**
     * One score for each answer, in order.
     *
     * @param deadline when the result stops being waited for; the thread is interrupted then
     * @throws IOException where the whole call failed; it may be tried again
     */
    List<Score> score(List<Answer> answers, Deadline deadline) throws IOException, InterruptedException;

    /** Gives back what the reward holds. */
    @Override
    default void close() {}
}
