package io.rlhf4j.driver.bench;

import java.util.ArrayList;
import java.util.List;

/** Takes the time of the same work again and again. */
final class Rounds {
    private final List<Double> seconds = new ArrayList<>();
    private double first;

    private Rounds() {}

    /** Runs {@code work} for the warm-up and then for the measurement. */
    static Rounds of(BenchSettings settings, Runnable work) {
        Rounds rounds = new Rounds();
        for (int round = -settings.warmup(); round < settings.repeats(); round++) {
            if (round == 0) {
                settings.profile().ifPresent(OperationProfile::begin);
            }
            double taken = secondsOf(work);
            if (round == -settings.warmup()) {
                rounds.first = taken;
            }
            if (round >= 0) {
                rounds.seconds.add(taken);
            }
        }
        settings.profile().ifPresent(OperationProfile::end);
        return rounds;
    }

    /** Seconds that {@code work} takes once. */
    static double secondsOf(Runnable work) {
        long start = System.nanoTime();
        work.run();
        return (System.nanoTime() - start) / 1e9;
    }

    /** Seconds of each measured round. */
    List<Double> seconds() {
        return List.copyOf(seconds);
    }

    /** Seconds of the very first round, warm-up included. */
    double first() {
        return first;
    }
}
