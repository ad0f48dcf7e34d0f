package io.rlhf4j.workers.runtime;

import io.rlhf4j.workers.collective.Collectives;

/**
 * What a rank of a training job works with.
 *
 * @param collectives its end of the group
 * @param slot its place in the executor
 * @param complete whether every rank holds the state that the job asked for
 */
public record RankContext(Collectives collectives, Slot slot, boolean complete) {
    /** This rank, from 0. */
    public int rank() {
        return collectives.rank();
    }
}
