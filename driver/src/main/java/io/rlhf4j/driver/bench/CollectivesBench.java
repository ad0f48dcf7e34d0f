package io.rlhf4j.driver.bench;

import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.Shards;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * The collective operations of ranks that speak over sockets of this machine, each beside a plain copy over a socket that moves
 * as many bytes, in turn with it.
 *
 * @param ranks how many, each a thread
 * @param megabytes of the fp32 tensor that every rank has
 * @param wire the type in which sums are sent
 */
public record CollectivesBench(int ranks, int megabytes, DType wire) {
    private static final String REDUCE_SCATTER = "reduce_scatter";
    private static final String ALL_GATHER = "all_gather";
    private static final String ALL_REDUCE = "all_reduce";
    private static final double GIGABYTE = 1e9;

    /** One operation on a rank's tensor. */
    private interface Operation {
        void run(Collectives ranks, Shards shards, Tensor whole, Tensor own);
    }

    /** Measures all operations. */
    public List<Measurement> measure(BenchSettings settings) throws IOException {
        Map<String, Operation> operations = new LinkedHashMap<>();
        operations.put(REDUCE_SCATTER, (group, shards, whole, own) -> group.reduceScatterSum(whole, shards, own));
        operations.put(ALL_GATHER, (group, shards, whole, own) -> group.allGather(own, shards, whole));
        operations.put(ALL_REDUCE, (group, shards, whole, own) -> group.allReduceSum(whole));
        List<Measurement> measurements = new ArrayList<>();
        try (LoopbackRanks group = new LoopbackRanks(ranks, wire);
                SocketCopy copy = new SocketCopy();
                Scope scope = Scope.root(settings.backend(), "bench")) {
            Shards shards = Shards.even((long) megabytes << 18, ranks);
            List<Tensor> tensors = new ArrayList<>();
            for (int rank = 0; rank < ranks; rank++) {
                tensors.add(scope.zeros(DType.FP32, Math.toIntExact(shards.elements())));
            }
            operations.forEach((name, operation) -> {
                if (wire == DType.FP32 || !name.equals(ALL_GATHER)) {
                    measurements.add(measure(name, operation, group, copy, shards, tensors, settings));
                }
            });
        }
        return measurements;
    }

    private Measurement measure(
            String name,
            Operation operation,
            LoopbackRanks group,
            SocketCopy copy,
            Shards shards,
            List<Tensor> tensors,
            BenchSettings settings) {
        ConcurrentSkipListMap<Integer, Long> sent = new ConcurrentSkipListMap<>();
        Runnable all = () -> group.onAll(rank -> {
            Tensor whole = tensors.get(rank.rank());
            Tensor own =
                    whole.slice(Math.toIntExact(shards.from(rank.rank())), Math.toIntExact(shards.to(rank.rank())));
            long before = rank.metrics().sentBytes();
            operation.run(rank, shards, whole, own);
            sent.put(rank.rank(), rank.metrics().sentBytes() - before);
        });
        List<Double> seconds = new ArrayList<>();
        List<Double> plain = new ArrayList<>();
        for (int round = -settings.warmup(); round < settings.repeats(); round++) {
            double taken = Rounds.secondsOf(all);
            long bytes = sent.values().stream().mapToLong(Long::longValue).sum();
            double copied = Rounds.secondsOf(() -> copy.run(bytes));
            if (round >= 0) {
                seconds.add(taken);
                plain.add(copied);
            }
        }
        return measurement(name, shards, sent, seconds, plain, settings);
    }

    private Measurement measurement(
            String name,
            Shards shards,
            Map<Integer, Long> sent,
            List<Double> seconds,
            List<Double> plain,
            BenchSettings settings) {
        long bytes = sent.values().stream().mapToLong(Long::longValue).sum();
        double rate = bytes / Measurement.median(seconds) / GIGABYTE;
        double plainRate = bytes / Measurement.median(plain) / GIGABYTE;
        Map<String, Object> more = new LinkedHashMap<>();
        more.put("ranks", ranks);
        more.put("wire", wire.name().toLowerCase(java.util.Locale.ROOT));
        more.put(
                "sent_bytes_of_a_rank",
                sent.values().stream().max(Comparator.naturalOrder()).orElseThrow());
        more.put("gb_per_s", Measurement.rounded(rate, 3));
        more.put("socket_gb_per_s", Measurement.rounded(plainRate, 3));
        more.put("ratio", Measurement.rounded(rate / plainRate, 3));
        return new Measurement(
                name,
                "fp32 tensor",
                "fp32",
                "%d x %d MiB".formatted(ranks, megabytes),
                shards.elements(),
                seconds,
                settings,
                more);
    }
}
