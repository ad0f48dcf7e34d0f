package io.rlhf4j.workers.collective.nccl;

import io.rlhf4j.tensor.DType;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.LocalGroup;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;

/** Groups whose ranks are threads, and whose tensors go over {@link MemoryLinks}. */
final class MemoryGroups {
    private MemoryGroups() {}

    static List<Collectives> of(
            int worldSize, Duration deadline, DType sumType, long scratchBytes, MemoryLinks.Meeting meeting) {
        return of(new LocalGroup(worldSize, deadline, sumType), worldSize, deadline, sumType, scratchBytes, meeting);
    }

    /** @param deadline of the devices */
    static List<Collectives> of(
            LocalGroup group,
            int worldSize,
            Duration deadline,
            DType sumType,
            long scratchBytes,
            MemoryLinks.Meeting meeting) {
        return IntStream.range(0, worldSize)
                .<Collectives>mapToObj(
                        rank -> new NcclCollectives(group.member(rank), meeting, sumType, deadline, scratchBytes))
                .toList();
    }
}
