package io.rlhf4j.driver.bench;

import io.rlhf4j.driver.scaling.Shape;
import io.rlhf4j.driver.scaling.StepTime;
import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.LocalGroup;
import io.rlhf4j.workers.collective.Pending;
import io.rlhf4j.workers.collective.Shards;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * The formulas of a step's time against this machine. First the constants: a step of one rank alone, how much slower ranks are
 * that compute side by side, what the network between ranks carries. Then, for each stage and number of ranks of one thread
 * each, the time that follows from them beside the time that the engine takes.
 *
 * @param batch rows of a rank
 * @param length tokens of each
 * @param ranks numbers of ranks
 * @param stages of ZeRO
 */
public record ScalingBench(int batch, int length, List<Integer> ranks, List<Integer> stages) {
    /** Exchanges of next to nothing that are timed together. */
    private static final int MESSAGES = 50;

    /**
     * Measures and predicts.
     *
     * @param backends makes what computes for a rank, with one thread
     * @param measured hears each line: the constants, then stage by stage
     */
    public void measure(
            BenchModel model, Supplier<Backend> backends, BenchSettings settings, Consumer<Measurement> measured)
            throws IOException {
        Maker maker = new Maker(model, backends, settings.type());
        ScalingConstants constants = constants(maker, settings, measured);
        for (int stage : stages) {
            for (int count : ranks) {
                List<Double> seconds =
                        count == 1 ? alone(maker, stage, settings) : together(maker, stage, count, settings);
                measured.accept(against(model, constants.predicted(stage, count), stage, count, seconds, settings));
            }
        }
    }

    /** Makes ranks. */
    private record Maker(BenchModel model, Supplier<Backend> backends, DType type) {
        RankStep make(int stage, ScalingBench bench, Collectives collectives) {
            try {
                return new RankStep(model, backends.get(), type, stage, bench.batch, bench.length, collectives);
            } catch (IOException unreadable) {
                throw new UncheckedIOException(unreadable);
            }
        }
    }

    private ScalingConstants constants(Maker maker, BenchSettings settings, Consumer<Measurement> measured) {
        int cores = Runtime.getRuntime().availableProcessors();
        List<Double> steps;
        double optimizer;
        Shape shape;
        try (RankStep one = maker.make(0, this, LocalGroup.single())) {
            steps = Rounds.of(settings, one::run).seconds();
            optimizer = Measurement.median(Rounds.of(settings, one::optimizer).seconds());
            shape = new Shape(maker.model().label(), one.parameters(), one.units() - 2, 0);
        }
        double step = Measurement.median(steps);
        Map<Integer, Double> crowding = new TreeMap<>(Map.of(1, 1.0));
        for (int count : ranks) {
            crowding.computeIfAbsent(
                    ScalingConstants.sideBySide(count, cores), many -> sideBySide(maker, many, settings) / step);
        }
        Network network = network(shape, settings);
        ScalingConstants constants = new ScalingConstants(
                shape,
                settings.type().bytes(),
                cores,
                step - optimizer,
                optimizer,
                crowding,
                network.bytesPerSecond(),
                network.messageSeconds());
        measured.accept(new Measurement(
                "scaling_constants",
                shape.name(),
                settings.trainingType(),
                "%dx%d".formatted(batch, length),
                (long) batch * length,
                steps,
                settings,
                Map.of(
                        "parameters", (long) shape.parameters(),
                        "cores", cores,
                        "passes_s", Measurement.rounded(constants.passes(), 4),
                        "optimizer_s", Measurement.rounded(optimizer, 4),
                        "gflop_per_s",
                                Measurement.rounded(
                                        3e-9 * shape.forwardFlops((double) batch * length) / constants.passes(), 1),
                        "crowding", crowding.toString(),
                        "network_gb_per_s_of_all", Measurement.rounded(network.bytesPerSecond() / 1e9, 3),
                        "message_us", Measurement.rounded(network.messageSeconds() * 1e6, 1))));
        return constants;
    }

    private List<Double> alone(Maker maker, int stage, BenchSettings settings) {
        try (RankStep one = maker.make(stage, this, LocalGroup.single())) {
            return Rounds.of(settings, one::run).seconds();
        }
    }

    /** Seconds of a step where so many ranks each take their own, and none waits for another but at the end. */
    private double sideBySide(Maker maker, int count, BenchSettings settings) {
        ExecutorService threads = Executors.newFixedThreadPool(count);
        List<RankStep> steps = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                steps.add(maker.make(0, this, LocalGroup.single()));
            }
            return Measurement.median(Rounds.of(settings, () -> steps.stream()
                            .map(step -> CompletableFuture.runAsync(step::run, threads))
                            .toList()
                            .forEach(CompletableFuture::join))
                    .seconds());
        } finally {
            steps.forEach(RankStep::close);
            threads.shutdown();
        }
    }

    private List<Double> together(Maker maker, int stage, int count, BenchSettings settings) {
        RankStep[] steps = new RankStep[count];
        try (LoopbackRanks group = new LoopbackRanks(count, DType.FP32)) {
            group.onAll(rank -> steps[rank.rank()] = maker.make(stage, this, rank));
            List<Double> seconds = Rounds.of(settings, () -> group.onAll(rank -> steps[rank.rank()].run()))
                    .seconds();
            group.onAll(rank -> steps[rank.rank()].close());
            return seconds;
        }
    }

    /** What two ranks' network carries. */
    private record Network(double bytesPerSecond, double messageSeconds) {}

    /** As the engine uses it: all units are on their way at once, first summed and cut, then gathered. */
    private Network network(Shape shape, BenchSettings settings) {
        int pair = 2;
        try (LoopbackRanks group = new LoopbackRanks(pair, DType.FP32);
                Scope scope = Scope.root(settings.backend(), "network")) {
            int units = shape.layers() + 2;
            Shards shards = Shards.even((long) (shape.parameters() / units), pair);
            List<Tensor> wholes = new ArrayList<>();
            for (int tensor = 0; tensor < pair * units; tensor++) {
                wholes.add(scope.zeros(DType.FP32, Math.toIntExact(shards.elements())));
            }
            Shards few = Shards.even(pair, pair);
            List<Tensor> small = List.of(scope.zeros(DType.FP32, pair), scope.zeros(DType.FP32, pair));
            double message = Measurement.median(Rounds.of(
                                    settings,
                                    () -> group.onAll(rank -> {
                                        for (int i = 0; i < MESSAGES; i++) {
                                            exchange(rank, few, List.of(small.get(rank.rank())));
                                        }
                                    }))
                            .seconds())
                    / (2 * MESSAGES);
            ConcurrentLinkedQueue<Long> sent = new ConcurrentLinkedQueue<>();
            double seconds = Measurement.median(Rounds.of(settings, () -> {
                        sent.clear();
                        group.onAll(rank -> {
                            long before = rank.metrics().sentBytes();
                            exchange(rank, shards, wholes.subList(rank.rank() * units, (rank.rank() + 1) * units));
                            sent.add(rank.metrics().sentBytes() - before);
                        });
                    })
                    .seconds());
            double bytes = sent.stream().mapToLong(Long::longValue).sum();
            return new Network(bytes / Math.max(seconds - 2 * units * message, seconds / 2), message);
        }
    }

    private static void exchange(Collectives rank, Shards shards, List<Tensor> wholes) {
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

    private Measurement against(
            BenchModel model, StepTime predicted, int stage, int count, List<Double> seconds, BenchSettings settings) {
        double measured = Measurement.median(seconds);
        return new Measurement(
                "scaling_step",
                model.label(),
                settings.trainingType(),
                "%d ranks x %dx%d".formatted(count, batch, length),
                (long) count * batch * length,
                seconds,
                settings,
                Map.of(
                        "ranks", count,
                        "stage", stage,
                        "predicted_s", Measurement.rounded(predicted.seconds(), 4),
                        "predicted_exchange_s", Measurement.rounded(predicted.exchange(), 4),
                        "predicted_sent_bytes", Math.round(predicted.sentBytes()),
                        "predicted_over_measured", Measurement.rounded(predicted.seconds() / measured, 3)));
    }
}
