package io.rlhf4j.workers.collective.network;

import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.rlhf4j.workers.collective.Collectives;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** Ranks in any JVMs that can reach each other: they meet by an exchange of addresses and speak over sockets from there. */
public final class NetworkGroup {
    private NetworkGroup() {}

    /**
     * Joins a group: listens, tells the others where, and shakes hands with each of them. Returns when all have come.
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
        MultiThreadIoEventLoopGroup loops = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("rlhf4j-rank-" + rank, true), NioIoHandler.newFactory());
        try (Rendezvous rendezvous = new Rendezvous(identity, rank, worldSize, settings, loops.next())) {
            return rendezvous.meet(addressExchange, () -> shutDown(loops));
        } catch (RuntimeException | Error failed) {
            shutDown(loops);
            throw failed;
        }
    }

    private static void shutDown(MultiThreadIoEventLoopGroup loops) {
        loops.shutdownGracefully(0, 5, TimeUnit.SECONDS);
    }
}
