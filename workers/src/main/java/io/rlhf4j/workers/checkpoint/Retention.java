package io.rlhf4j.workers.checkpoint;

import io.rlhf4j.config.CheckpointConfig;
import io.rlhf4j.error.Rlhf4jException;
import java.util.List;

/**
 * Which checkpoints stay: the newest ones, to go on from, and every so often one for good.
 *
 * @param newest how many of the newest stay; at least 1
 * @param every checkpoints whose step is divisible by this stay too; 0 for none
 */
public record Retention(int newest, long every) {
    public Retention {
        if (newest < 1 || every < 0) {
            throw Rlhf4jException.configuration(
                    "at least 1 checkpoint has to be kept, not %d; and every so many steps one, not every %d"
                            .formatted(newest, every));
        }
    }

    /** What a run is told. */
    public static Retention of(CheckpointConfig config) {
        return new Retention(config.keep(), config.keepEvery());
    }

    /** Those of {@code steps} that go; in the same order. */
    List<Long> outdated(List<Long> newestFirst) {
        return newestFirst.stream()
                .skip(newest)
                .filter(step -> every == 0 || step % every != 0)
                .toList();
    }
}
