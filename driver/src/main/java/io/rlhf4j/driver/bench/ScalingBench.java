package io.rlhf4j.driver.bench;

import io.rlhf4j.driver.scaling.Shape;
import io.rlhf4j.driver.scaling.StepTime;
import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.LocalGroup;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
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
        try (RankStep alone = maker.make(0, this, LocalGroup.single())) {
            List<Double> first = Rounds.of(settings, alone::run).seconds();
            ScalingConstants constants = constants(maker, alone, Measurement.median(first), settings);
            measured.accept(told(constants, first, model, settings));
            for (int stage : stages) {
                for (int count : ranks) {
                    Pair pair = together(maker, stage, count, alone, settings);
                    double drift = Measurement.median(pair.alone()) / Measurement.median(first);
                    StepTime predicted = constants.predicted(stage, count, drift);
                    measured.accept(against(model, predicted, stage, count, drift, pair.together(), settings));
                }
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

    private ScalingConstants constants(Maker maker, RankStep alone, double step, BenchSettings settings) {
        int cores = Runtime.getRuntime().availableProcessors();
        double optimizer =
                Measurement.median(Rounds.of(settings, alone::optimizer).seconds());
        Shape shape = new Shape(maker.model().label(), alone.parameters(), alone.units() - 2, 0);
        Map<Integer, Double> crowding = new TreeMap<>(Map.of(1, 1.0));
        Map<Integer, ScalingConstants.Network> networks = new TreeMap<>();
        for (int count : ranks) {
            crowding.computeIfAbsent(
                    ScalingConstants.sideBySide(count, cores), many -> sideBySide(maker, many, settings) / step);
            if (count > 1) {
                networks.put(count, new NetworkBench(shape, count, cores).measure(settings));
            }
        }
        return new ScalingConstants(
                shape, settings.type().bytes(), cores, step - optimizer, optimizer, crowding, networks);
    }

    private Measurement told(ScalingConstants constants, List<Double> steps, BenchModel model, BenchSettings settings) {
        double flops = 3 * constants.shape().forwardFlops((double) batch * length);
        Map<String, Object> more = new TreeMap<>();
        more.put("parameters", (long) constants.shape().parameters());
        more.put("cores", constants.cores());
        more.put("passes_s", Measurement.rounded(constants.passes(), 4));
        more.put("optimizer_s", Measurement.rounded(constants.optimizer(), 4));
        more.put("gflop_per_s", Measurement.rounded(1e-9 * flops / constants.passes(), 1));
        constants.crowding().forEach((count, times) -> more.put("crowding_" + count, Measurement.rounded(times, 3)));
        constants.networks().forEach((count, network) -> {
            more.put("network_gb_per_s_" + count, Measurement.rounded(network.bytesPerSecond() / 1e9, 3));
            more.put("message_us_" + count, Measurement.rounded(network.messageSeconds() * 1e6, 1));
            more.put("idle_" + count, Measurement.rounded(network.idle(), 3));
        });
        return new Measurement(
                "scaling_constants",
                model.label(),
                settings.trainingType(),
                "%dx%d".formatted(batch, length),
                (long) batch * length,
                steps,
                settings,
                more);
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

    /** Seconds of each round: of one rank alone, and then of the group. */
    private record Pair(List<Double> alone, List<Double> together) {}

    private Pair together(Maker maker, int stage, int count, RankStep alone, BenchSettings settings) {
        if (count == 1) {
            try (RankStep one = maker.make(stage, this, LocalGroup.single())) {
                return inTurn(alone, one::run, settings);
            }
        }
        RankStep[] steps = new RankStep[count];
        try (LoopbackRanks group = new LoopbackRanks(count, DType.FP32)) {
            group.onAll(rank -> steps[rank.rank()] = maker.make(stage, this, rank));
            Pair pair = inTurn(alone, () -> group.onAll(rank -> steps[rank.rank()].run()), settings);
            group.onAll(rank -> steps[rank.rank()].close());
            return pair;
        }
    }

    /** The machine moves within minutes: what is compared is measured in turn. */
    private static Pair inTurn(RankStep alone, Runnable group, BenchSettings settings) {
        List<Double> before = new ArrayList<>();
        List<Double> seconds = new ArrayList<>();
        for (int round = -settings.warmup(); round < settings.repeats(); round++) {
            double one = Rounds.secondsOf(alone::run);
            double all = Rounds.secondsOf(group);
            if (round >= 0) {
                before.add(one);
                seconds.add(all);
            }
        }
        return new Pair(before, seconds);
    }

    private Measurement against(
            BenchModel model,
            StepTime predicted,
            int stage,
            int count,
            double drift,
            List<Double> seconds,
            BenchSettings settings) {
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
                        "drift", Measurement.rounded(drift, 3),
                        "predicted_s", Measurement.rounded(predicted.seconds(), 4),
                        "predicted_exchange_s", Measurement.rounded(predicted.exchange(), 4),
                        "predicted_sent_bytes", Math.round(predicted.sentBytes()),
                        "predicted_over_measured", Measurement.rounded(predicted.seconds() / measured, 3)));
    }
}
