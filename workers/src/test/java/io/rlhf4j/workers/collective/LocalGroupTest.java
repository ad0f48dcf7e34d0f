package io.rlhf4j.workers.collective;

import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;

class LocalGroupTest extends CollectivesContract {
    @Override
    protected List<Collectives> group(int worldSize, Duration deadline) {
        LocalGroup group = new LocalGroup(worldSize, deadline);
        return IntStream.range(0, worldSize).mapToObj(group::member).toList();
    }
}
