package io.rlhf4j.workers.collective.network.handshake;

/**
 * A rank of one attempt at one job, as it introduces itself.
 *
 * @param run the run's name, and what else tells this group from others of the same secret
 * @param generation grows with every attempt: a rank of an earlier one is refused
 * @param rank of {@code worldSize}
 * @param terms whatever else has to be equal for ranks to work together, in words
 */
public record Member(String run, long generation, int worldSize, int rank, String terms) {
    @Override
    public String toString() {
        return "rank %d of %d of run %s, generation %d".formatted(rank, worldSize, run, generation);
    }
}
