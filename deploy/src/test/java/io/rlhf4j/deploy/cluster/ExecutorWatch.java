package io.rlhf4j.deploy.cluster;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;

/** Watches the executors of a cluster: which there are, and what each is at and was at. */
final class ExecutorWatch implements AutoCloseable {
    private static final long LOOK_MILLIS = 20;
    private static final int LOOKS_PER_SEARCH = 50;

    private final StandaloneCluster cluster;
    private final Map<Long, ExecutorProcess> known = new TreeMap<>();
    private final Map<Long, ExecutorProcess.Phase> last = new TreeMap<>();
    private final List<Moment> moments = new ArrayList<>();
    private final Thread looks = new Thread(this::lookOnAndOn, "executor-watch");

    /** An executor begins with something. */
    record Moment(Instant at, ExecutorProcess executor, ExecutorProcess.Phase phase) {}

    ExecutorWatch(StandaloneCluster cluster) {
        this.cluster = cluster;
        looks.setDaemon(true);
        looks.start();
    }

    private void lookOnAndOn() {
        try {
            for (int look = 0; ; look++) {
                if (look % LOOKS_PER_SEARCH == 0) {
                    search();
                }
                look();
                Thread.sleep(LOOK_MILLIS);
            }
        } catch (InterruptedException closed) {
            Thread.currentThread().interrupt();
        }
    }

    private void search() {
        List<ExecutorProcess> found = cluster.executors();
        synchronized (this) {
            found.forEach(executor -> known.putIfAbsent(executor.pid(), executor));
        }
    }

    private synchronized void look() {
        for (ExecutorProcess executor : known.values()) {
            ExecutorProcess.Phase now = executor.phase();
            if (!now.equals(last.put(executor.pid(), now))) {
                moments.add(new Moment(Instant.now(), executor, now));
            }
        }
        known.values().removeIf(executor -> !executor.isAlive());
    }

    /** All beginnings so far. */
    synchronized List<Moment> moments() {
        return List.copyOf(moments);
    }

    /** The living executors of the application that was started last. */
    synchronized List<ExecutorProcess> ofNewestApplication() {
        String newest = known.values().stream()
                .map(ExecutorProcess::application)
                .max(String::compareTo)
                .orElse("");
        return known.values().stream()
                .filter(executor -> executor.application().equals(newest) && executor.isAlive())
                .toList();
    }

    /** Waits for one of them to be in a phase. */
    Optional<ExecutorProcess> awaitIn(String phase, Random random, Duration limit) throws InterruptedException {
        Instant end = Instant.now().plus(limit);
        while (Instant.now().isBefore(end)) {
            List<ExecutorProcess> executors = new ArrayList<>(ofNewestApplication());
            Collections.shuffle(executors, random);
            for (ExecutorProcess executor : executors) {
                if (executor.phase().name().equals(phase)) {
                    return Optional.of(executor);
                }
            }
            Thread.sleep(LOOK_MILLIS);
        }
        return Optional.empty();
    }

    @Override
    public void close() {
        looks.interrupt();
    }
}
