package io.rlhf4j.driver.bench;

import com.sun.management.OperatingSystemMXBean;
import io.rlhf4j.driver.scaling.Shape;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.Pending;
import io.rlhf4j.workers.collective.Shards;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The exchanges of a step without the step, as the engine does them: all units are on their way at once, first summed and cut,
 * then gathered.
 *
 * @param shape whose units they are
 * @param ranks how many, each a thread
 * @param cores of this machine
 */
record NetworkBench(Shape shape, int ranks, int cores) {
    /** Exchanges of next to nothing that are timed together. */
    private static final int MESSAGES = 50;

    ScalingConstants.Network measure(BenchSettings settings) {
        try (LoopbackRanks group = new LoopbackRanks(ranks, DType.FP32);
                Scope scope = Scope.root(settings.backend(), "network")) {
            int units = shape.layers() + 2;
            List<List<Tensor>> wholes = tensors(scope, units, (int) (shape.parameters() / units));
            List<List<Tensor>> small = tensors(scope, 1, ranks);
            List<Double> few = Rounds.of(
                            settings,
                            () -> group.onAll(rank -> {
                                for (int i = 0; i < MESSAGES; i++) {
                                    exchange(rank, small.get(rank.rank()));
                                }
                            }))
                    .seconds();
            double operation = Measurement.median(few) / (2 * MESSAGES);
            AtomicLong sent = new AtomicLong();
            long busy = processorTime();
            long begin = System.nanoTime();
            List<Double> many = Rounds.of(settings, () -> {
                        sent.set(0);
                        group.onAll(rank -> {
                            long before = rank.metrics().sentBytes();
                            exchange(rank, wholes.get(rank.rank()));
                            sent.addAndGet(rank.metrics().sentBytes() - before);
                        });
                    })
                    .seconds();
            double busyShare = (double) (processorTime() - busy) / (System.nanoTime() - begin) / cores;
            double seconds = Measurement.median(many);
            return new ScalingConstants.Network(
                    sent.get() / Math.max(seconds - 2 * units * operation, seconds / 2),
                    operation / (ranks - 1),
                    Math.max(0, 1 - busyShare));
        }
    }

    /** So many tensors for each rank. */
    private List<List<Tensor>> tensors(Scope scope, int count, int elements) {
        List<List<Tensor>> all = new ArrayList<>();
        for (int rank = 0; rank < ranks; rank++) {
            List<Tensor> own = new ArrayList<>();
            for (int tensor = 0; tensor < count; tensor++) {
                own.add(scope.zeros(DType.FP32, elements));
            }
            all.add(own);
        }
        return all;
    }

    private static void exchange(Collectives rank, List<Tensor> wholes) {
        Shards shards = Shards.even(wholes.get(0).elements(), rank.worldSize());
        List<Pending> sums = wholes.stream()
                .map(whole -> rank.startReduceScatterSum(whole, shards, own(rank, shards, whole)))
                .toList();
        sums.forEach(Pending::await);
        List<Pending> gathers = wholes.stream()
                .map(whole -> rank.startAllGather(own(rank, shards, whole), shards, whole))
                .toList();
        gathers.forEach(Pending::await);
    }

    private static Tensor own(Collectives rank, Shards shards, Tensor whole) {
        return whole.slice(Math.toIntExact(shards.from(rank.rank())), Math.toIntExact(shards.to(rank.rank())));
    }

    /** Nanoseconds that this process has computed, on all cores. */
    private static long processorTime() {
        return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
    }
}
