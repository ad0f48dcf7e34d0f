package io.rlhf4j.workers.collective.network;

import io.rlhf4j.workers.collective.Collectives;
import java.util.List;
import java.util.function.Function;

/** Ranks in any JVMs that can reach each other: they meet by an exchange of addresses and speak over sockets from there. */
public final class NetworkGroup {
    private NetworkGroup() {}

    /**
     * Joins a group by those who know their ranks: listens, tells the others where, and shakes hands with each of them.
     * Returns when all have come.
     *
     * @param addressExchange called once: hands over this rank's address and returns those of all ranks, in any order, as
     *     {@code BarrierTaskContext.allGather} does
     * @return this rank's end; to be closed
     * @throws io.rlhf4j.workers.collective.CollectiveException where the group does not come together
     */
    public static Collectives join(
            GroupIdentity identity,
            int rank,
            int worldSize,
            NetworkSettings settings,
            Function<String, List<String>> addressExchange) {
        if (rank < 0 || rank >= worldSize) {
            throw new IllegalArgumentException("rank %d of %d".formatted(rank, worldSize));
        }
        try (Rendezvous rendezvous = Rendezvous.open(settings)) {
            String own = new RankedAddress(rank, rendezvous.address()).format();
            return rendezvous.meet(identity, rank, RankedAddress.all(addressExchange.apply(own), worldSize));
        }
    }
}
