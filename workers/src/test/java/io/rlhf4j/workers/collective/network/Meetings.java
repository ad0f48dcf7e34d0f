package io.rlhf4j.workers.collective.network;

import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.network.handshake.GroupSecret;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import java.util.function.IntFunction;

/** Groups of ranks that are threads of the test and speak over sockets of this machine. */
public final class Meetings {
    private Meetings() {}

    static GroupIdentity identity() {
        return new GroupIdentity("support", 1, GroupSecret.random());
    }

    /** With pieces so small that small tensors are cut too. */
    public static NetworkSettings settings(Duration deadline) {
        return NetworkSettings.of("127.0.0.1", deadline).withPieceBytes(4096);
    }

    /** All ends of a group whose ranks have the same settings. */
    public static List<Collectives> group(int worldSize, NetworkSettings settings) throws Exception {
        GroupIdentity identity = identity();
        AddressBoard board = new AddressBoard(worldSize);
        List<Collectives> group = new ArrayList<>();
        for (Future<Collectives> member :
                start(worldSize, rank -> NetworkGroup.join(identity, rank, worldSize, settings, board))) {
            group.add(member.get());
        }
        return group;
    }

    /** What every rank's joining throws, by rank; null where it comes through, and is closed. */
    static List<Throwable> failures(int worldSize, IntFunction<Collectives> join) throws Exception {
        List<Throwable> failures = new ArrayList<>();
        for (Future<Collectives> member : start(worldSize, join)) {
            try {
                member.get().close();
                failures.add(null);
            } catch (ExecutionException failed) {
                failures.add(failed.getCause());
            }
        }
        return failures;
    }

    private static List<Future<Collectives>> start(int worldSize, IntFunction<Collectives> join) {
        ExecutorService threads = Executors.newFixedThreadPool(worldSize);
        List<Future<Collectives>> members = new ArrayList<>();
        for (int i = 0; i < worldSize; i++) {
            int rank = i;
            members.add(threads.submit(() -> join.apply(rank)));
        }
        threads.shutdown();
        return members;
    }

    /** Where the ranks' addresses are exchanged: returns when all have said theirs. */
    static final class AddressBoard implements Function<String, List<String>> {
        private final int worldSize;
        private final List<String> addresses = new ArrayList<>();

        AddressBoard(int worldSize) {
            this.worldSize = worldSize;
        }

        @Override
        public synchronized List<String> apply(String address) {
            addresses.add(address);
            notifyAll();
            try {
                while (addresses.size() < worldSize) {
                    wait();
                }
            } catch (InterruptedException interrupted) {
                throw new IllegalStateException(interrupted);
            }
            return List.copyOf(addresses);
        }
    }
}
