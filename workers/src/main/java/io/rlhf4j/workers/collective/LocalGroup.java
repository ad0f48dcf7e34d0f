package io.rlhf4j.workers.collective;

import io.rlhf4j.tensor.DType;
import java.time.Duration;

/**
 * Ranks that are threads of one JVM: they meet at every operation, and each then sums its share of the elements for
 * all.
 */
public final class LocalGroup {
    private final Meeting meeting;
    private final LocalCollectives[] members;

    /**
     * A group of {@code worldSize} ranks.
     *
     * @param deadline how long a rank waits for the others at one operation before the group ends
     */
    public LocalGroup(int worldSize, Duration deadline) {
        this(worldSize, deadline, DType.FP32);
    }

    /**
     * A group that sums FP32 tensors as though they were of {@code sumType}.
     *
     * @param deadline how long a rank waits for the others at one operation before the group ends
     */
    public LocalGroup(int worldSize, Duration deadline, DType sumType) {
        if (worldSize < 1) {
            throw new IllegalArgumentException("a group needs a rank, not " + worldSize);
        }
        this.meeting = new Meeting(worldSize, deadline);
        this.members = new LocalCollectives[worldSize];
        for (int rank = 0; rank < worldSize; rank++) {
            members[rank] = new LocalCollectives(meeting, rank, sumType);
        }
    }

    /** A group of one: every operation is the identity. */
    public static Collectives single() {
        return new LocalGroup(1, Duration.ofMinutes(1)).member(0);
    }

    /** The end of rank {@code rank}. */
    public Collectives member(int rank) {
        return members[rank];
    }

    /** Whether the group has failed and can no longer be used. */
    public boolean hasFailed() {
        return meeting.failure().isPresent();
    }
}
