package io.rlhf4j.driver.bench;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.network.GroupIdentity;
import io.rlhf4j.workers.collective.network.NetworkGroup;
import io.rlhf4j.workers.collective.network.NetworkSettings;
import io.rlhf4j.workers.collective.network.handshake.GroupSecret;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Ranks that are threads of this JVM and speak over sockets all the same, as though they were on several machines. */
final class LoopbackRanks implements AutoCloseable {
    private static final String HOST = "127.0.0.1";
    private static final Duration DEADLINE = Duration.ofMinutes(1);

    private final ExecutorService threads;
    private final List<Collectives> ranks = new ArrayList<>();

    /**
     * A group.
     *
     * @param sumType BF16 sends sums of FP32 tensors as BF16
     */
    LoopbackRanks(int worldSize, DType sumType) {
        this.threads = Executors.newFixedThreadPool(worldSize);
        GroupIdentity identity = new GroupIdentity("bench", 1, GroupSecret.random());
        NetworkSettings settings = NetworkSettings.of(HOST, DEADLINE).withSumType(sumType);
        String[] addresses = new String[worldSize];
        CyclicBarrier all = new CyclicBarrier(worldSize);
        List<Future<Collectives>> joining = new ArrayList<>();
        for (int i = 0; i < worldSize; i++) {
            int rank = i;
            joining.add(threads.submit(() -> NetworkGroup.join(identity, rank, worldSize, settings, own -> {
                addresses[rank] = own;
                await(all);
                return List.of(addresses);
            })));
        }
        joining.forEach(member -> ranks.add(get(member)));
    }

    /** What a rank does; no other knows its tensors. */
    @FunctionalInterface
    interface Work {
        void run(Collectives ranks);
    }

    /** Does the same on all ranks and waits for all. */
    void onAll(Work work) {
        List<Future<?>> running = new ArrayList<>();
        ranks.forEach(rank -> running.add(threads.submit(() -> work.run(rank))));
        running.forEach(LoopbackRanks::get);
    }

    private static void await(CyclicBarrier barrier) {
        try {
            barrier.await();
        } catch (InterruptedException | BrokenBarrierException broken) {
            throw new IllegalStateException("the ranks did not meet", broken);
        }
    }

    private static <T> T get(Future<T> future) {
        try {
            return future.get();
        } catch (ExecutionException failed) {
            throw new Rlhf4jException(
                    ErrorKind.CLUSTER, "a rank failed: " + failed.getCause().getMessage(), failed.getCause());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new Rlhf4jException(ErrorKind.INTERRUPTED, "interrupted while ranks were at work", interrupted);
        }
    }

    @Override
    public void close() {
        ranks.forEach(Collectives::close);
        threads.shutdown();
    }
}
