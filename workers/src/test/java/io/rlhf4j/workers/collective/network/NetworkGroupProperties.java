package io.rlhf4j.workers.collective.network;

import io.rlhf4j.tensor.DType;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.CollectivesProperties;
import java.time.Duration;
import java.util.List;

class NetworkGroupProperties extends CollectivesProperties {
    @Override
    protected List<Collectives> group(int worldSize, DType sumType) throws Exception {
        return Meetings.group(
                worldSize,
                Meetings.settings(Duration.ofSeconds(30)).withSumType(sumType).withPieceBytes(1000));
    }
}
