package io.rlhf4j.deploy.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.run.RunFolder;
import io.rlhf4j.run.RunStatus;
import io.rlhf4j.workers.checkpoint.CheckpointStore;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;

/** A run of which executors and drivers die, until a plan is done. */
final class DisturbedRun implements AutoCloseable {
    private static final Duration LIMIT = Duration.ofMinutes(10);
    /** A log line travels from an executor to its file through the worker. */
    private static final Duration LOG_LAG = Duration.ofMillis(300);

    /** How a driver is started, with a name for its log. */
    @FunctionalInterface
    interface Submission {
        Jvm submit(String log) throws IOException;
    }

    /**
     * Something that was done to the run.
     *
     * @param phase that the executor was in when it died; empty for a driver
     * @param who in words
     */
    record Event(Instant at, KillPlan.Kind kind, String phase, String who) {}

    private final Submission submission;
    private final ExecutorWatch watch;
    private final RunFolder folder;
    private final CheckpointStore checkpoints;
    private final Random random;
    private final List<Event> events = new ArrayList<>();
    private final TreeSet<String> missing = new TreeSet<>(KillPlan.PHASES);
    private final List<Jvm> drivers = new ArrayList<>();

    DisturbedRun(
            Submission submission, ExecutorWatch watch, RunFolder folder, CheckpointStore checkpoints, Random random) {
        this.submission = submission;
        this.watch = watch;
        this.folder = folder;
        this.checkpoints = checkpoints;
        this.random = random;
    }

    /** Starts the run, does what is planned to it, and waits for its end. */
    List<Event> endure(List<KillPlan.Step> plan) throws Exception {
        start();
        awaitCommit(KillFigures.COLD);
        for (int i = 0; i < plan.size(); i++) {
            KillPlan.Step step = plan.get(i);
            Thread.sleep(step.gap().toMillis());
            assertThat(driver().isAlive())
                    .as("the run has to go on: " + driver().text())
                    .isTrue();
            switch (step.kind()) {
                case EXECUTOR_DIES -> killExecutor(wanted(step, executorsLeft(plan, i)));
                case DRIVER_DIES -> killDriver();
                case DRIVER_IS_REPLACED -> replaceDriver();
            }
        }
        assertThat(driver().exitCode(LIMIT)).as(driver().text()).isZero();
        return List.copyOf(events);
    }

    private static int executorsLeft(List<KillPlan.Step> plan, int from) {
        return (int) plan.stream()
                .skip(from)
                .filter(step -> step.kind() == KillPlan.Kind.EXECUTOR_DIES)
                .count();
    }

    /** A phase that was missed by a moment is tried again as long as there are executors to kill. */
    private String wanted(KillPlan.Step step, int left) {
        boolean planned = missing.contains(step.phase());
        return planned || left > missing.size() || missing.isEmpty() ? step.phase() : missing.first();
    }

    private void killExecutor(String phase) throws Exception {
        ExecutorProcess victim = phase.equals(KillPlan.ANY) ? anyExecutor() : executorIn(phase);
        victim.kill();
        Instant at = Instant.now();
        Thread.sleep(LOG_LAG.toMillis());
        ExecutorProcess.Phase died = victim.phase();
        missing.remove(died.name());
        events.add(new Event(at, KillPlan.Kind.EXECUTOR_DIES, died.name(), "%s (%s)".formatted(victim, died.of())));
    }

    private ExecutorProcess anyExecutor() throws InterruptedException {
        List<ExecutorProcess> executors = watch.ofNewestApplication();
        while (executors.isEmpty()) {
            Thread.sleep(100);
            executors = watch.ofNewestApplication();
        }
        return executors.get(random.nextInt(executors.size()));
    }

    private ExecutorProcess executorIn(String phase) throws Exception {
        return watch.awaitIn(phase, random, LIMIT)
                .orElseThrow(() -> new AssertionError("no executor came to " + phase));
    }

    private void killDriver() throws Exception {
        Jvm old = driver();
        old.signal("KILL");
        events.add(new Event(Instant.now(), KillPlan.Kind.DRIVER_DIES, "", "process " + old.pid()));
        assertThat(old.exitCode(LIMIT)).isNotZero();
        restart();
    }

    /** The old driver sleeps until another has gone on with the run; what it wakes up to is no longer its own. */
    private void replaceDriver() throws Exception {
        Jvm old = driver();
        old.signal("STOP");
        events.add(new Event(Instant.now(), KillPlan.Kind.DRIVER_IS_REPLACED, "", "process " + old.pid()));
        restart();
        long epoch = folder.readStatus().orElseThrow().epoch();
        old.signal("CONT");
        assertThat(old.exitCode(LIMIT)).as(old.text()).isEqualTo(5);
        assertThat(old.text()).contains("no longer this process's to write");
        assertThat(folder.readStatus().map(RunStatus::epoch)).hasValue(epoch);
    }

    private void restart() throws Exception {
        long before = committed();
        start();
        awaitCommit(before);
    }

    private void start() throws IOException {
        drivers.add(submission.submit("driver-" + drivers.size()));
    }

    private Jvm driver() {
        return drivers.get(drivers.size() - 1);
    }

    private long committed() {
        return checkpoints.steps().stream().findFirst().orElse(0L);
    }

    private void awaitCommit(long after) throws IOException, InterruptedException {
        Instant end = Instant.now().plus(LIMIT);
        while (committed() <= after) {
            assertThat(driver().isAlive() && Instant.now().isBefore(end))
                    .as("no iteration after %d was committed: %s", after, driver().text())
                    .isTrue();
            Thread.sleep(100);
        }
    }

    @Override
    public void close() {
        drivers.forEach(Jvm::close);
    }
}
