package io.rlhf4j.workers.collective.nccl;

import io.rlhf4j.tensor.DType;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.CollectivesProperties;
import java.time.Duration;
import java.util.List;

class NcclOverMemoryProperties extends CollectivesProperties {
    @Override
    protected List<Collectives> group(int worldSize, DType sumType) {
        return MemoryGroups.of(worldSize, Duration.ofSeconds(30), sumType, 3000, new MemoryLinks.Meeting());
    }
}
