package io.rlhf4j.workers.runtime;

import java.io.Serializable;

/** What every rank of a training job does; shipped to the executors. */
@FunctionalInterface
public interface RankTask<T> extends Serializable {
    /** Does it. An exception ends the job for all ranks. */
    T run(RankContext context) throws Exception;
}
