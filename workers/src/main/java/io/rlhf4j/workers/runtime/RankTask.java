package io.rlhf4j.workers.runtime;

import java.io.Serializable;

/** What every rank of a training job does; shipped to the executors. */
@FunctionalInterface
public interface RankTask<T> extends Serializable {
    /** Does it. An exception ends the job for all ranks. */
    T run(RankContext context) throws Exception;

    /** What it does, for messages: {@code the update of iteration 7}. Empty where nobody needs to know. */
    default String what() {
        return "";
    }
}
