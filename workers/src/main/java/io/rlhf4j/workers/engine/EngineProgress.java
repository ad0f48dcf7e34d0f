package io.rlhf4j.workers.engine;

import java.io.Serializable;

/**
 * The part of an engine's state that is not a tensor.
 *
 * @param position planned steps that lie behind: where the learning-rate schedule stands
 * @param updates steps that changed the weights: what the optimizer's bias correction counts
 * @param skipped steps left out because loss or gradient was not finite
 */
public record EngineProgress(long position, long updates, long skipped) implements Serializable {
    /** Before the first step. */
    public static final EngineProgress START = new EngineProgress(0, 0, 0);
}
