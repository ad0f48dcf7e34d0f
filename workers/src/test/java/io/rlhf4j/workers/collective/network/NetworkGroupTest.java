package io.rlhf4j.workers.collective.network;

import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.CollectivesContract;
import java.time.Duration;
import java.util.List;

class NetworkGroupTest extends CollectivesContract {
    @Override
    protected List<Collectives> group(int worldSize, Duration deadline) throws Exception {
        return Meetings.group(worldSize, Meetings.settings(deadline).withJoinDeadline(Duration.ofSeconds(20)));
    }
}
