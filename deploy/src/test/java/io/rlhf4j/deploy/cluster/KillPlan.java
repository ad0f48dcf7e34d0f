package io.rlhf4j.deploy.cluster;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * What is done to a run, in this order: executors killed about every twenty seconds, in each phase at least one; then the
 * driver killed twice, and stopped, replaced and continued once, in any order.
 */
final class KillPlan {
    /** The phases in each of which an executor has to die. */
    static final List<String> PHASES = List.of("generate", "score", "update", "checkpoint", "publish");

    /** Stands for any phase. */
    static final String ANY = "any";

    private static final int EXECUTORS = 10;
    private static final long GAP_MILLIS = 20_000;
    private static final long SPREAD_MILLIS = 5_000;

    private KillPlan() {}

    /** What is done to whom. */
    enum Kind {
        /** SIGKILL for an executor. */
        EXECUTOR_DIES,
        /** SIGKILL for the driver, and the same command again. */
        DRIVER_DIES,
        /** SIGSTOP for the driver, the same command again beside it, then SIGCONT. */
        DRIVER_IS_REPLACED
    }

    /**
     * One thing that is done.
     *
     * @param gap after the one before
     * @param phase in which an executor dies; {@link #ANY} for whatever it is at
     */
    record Step(Duration gap, Kind kind, String phase) {}

    /** The plan of a seed. */
    static List<Step> of(Random random) {
        List<String> phases = new ArrayList<>(PHASES);
        while (phases.size() < EXECUTORS) {
            phases.add(ANY);
        }
        Collections.shuffle(phases, random);
        List<Step> steps = new ArrayList<>();
        for (String phase : phases) {
            steps.add(new Step(gap(random), Kind.EXECUTOR_DIES, phase));
        }
        List<Kind> drivers = new ArrayList<>(List.of(Kind.DRIVER_DIES, Kind.DRIVER_DIES, Kind.DRIVER_IS_REPLACED));
        Collections.shuffle(drivers, random);
        for (Kind kind : drivers) {
            steps.add(new Step(gap(random), kind, ANY));
        }
        return steps;
    }

    private static Duration gap(Random random) {
        return Duration.ofMillis(GAP_MILLIS - SPREAD_MILLIS + (long) (random.nextDouble() * 2 * SPREAD_MILLIS));
    }
}
