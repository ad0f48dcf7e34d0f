package io.rlhf4j.workers.collective;

import io.rlhf4j.tensor.DType;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;

class LocalGroupProperties extends CollectivesProperties {
    @Override
    protected List<Collectives> group(int worldSize, DType sumType) {
        LocalGroup group = new LocalGroup(worldSize, Duration.ofSeconds(30), sumType);
        return IntStream.range(0, worldSize).mapToObj(group::member).toList();
    }
}
