package io.rlhf4j.driver.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.workers.checkpoint.Checkpoint;
import io.rlhf4j.workers.checkpoint.CheckpointFile;
import io.rlhf4j.workers.checkpoint.CheckpointStore;
import io.rlhf4j.workers.checkpoint.RankFiles;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Checkpoints of one attempt whose ranks may still be writing. Each is committed when all ranks have told that their parts
 * are there, one after the other: at once, or by a thread that looks for them while the run goes on.
 */
final class PendingCheckpoints implements AutoCloseable {
    private static final Duration PAUSE = Duration.ofMillis(300);

    /** How long ranks may still write when the attempt has ended, by a failure or because somebody stopped the run. */
    private static final Duration GRACE = Duration.ofSeconds(10);

    private final CheckpointStore store;
    private final String attempt;
    private final ArrayDeque<Pending> pending = new ArrayDeque<>();
    private final BooleanSupplier writersThere;
    private final ScheduledExecutorService looking;
    private Checkpoint committed;
    private RuntimeException failure;

    private record Pending(long step, int ranks, JsonNode state) {}

    /**
     * No checkpoint yet.
     *
     * @param generation of the states that are saved
     * @param writersThere whether all who may be writing are there still
     */
    PendingCheckpoints(CheckpointStore store, String generation, BooleanSupplier writersThere) {
        this.store = store;
        this.writersThere = writersThere;
        this.attempt = RankFiles.attempt(generation);
        this.looking = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "checkpoint-commits");
            thread.setDaemon(true);
            return thread;
        });
        looking.scheduleWithFixedDelay(
                this::commitWhatIsThere, PAUSE.toMillis(), PAUSE.toMillis(), TimeUnit.MILLISECONDS);
    }

    /**
     * Commits the checkpoint of {@code step} as soon as its parts are there. Whatever has to be written before, metrics, is.
     *
     * @param ranks how many of them have written or are writing their parts
     * @param state all that is not a tensor
     * @throws RuntimeException what went wrong with an earlier one
     */
    synchronized void add(long step, int ranks, JsonNode state) {
        pending.add(new Pending(step, ranks, state));
        commitWhatIsThere();
        requireSound();
    }

    /** The newest that this attempt has committed. */
    synchronized Optional<Checkpoint> committed() {
        return Optional.ofNullable(committed);
    }

    /** The steps of those that are not committed yet. */
    synchronized List<Long> steps() {
        return pending.stream().map(Pending::step).toList();
    }

    /**
     * Commits the last ones, whose ranks have been waited for.
     *
     * @throws RuntimeException what went wrong with one of them
     */
    synchronized void finish() {
        commitWhatIsThere();
        requireSound();
        if (!pending.isEmpty()) {
            throw new Rlhf4jException(
                    ErrorKind.RETRYABLE,
                    "the checkpoint in %s is not whole, though all ranks have written their parts; were files removed?"
                            .formatted(store.folder(pending.peek().step())));
        }
    }

    private synchronized void commitWhatIsThere() {
        try {
            while (failure == null && !pending.isEmpty()) {
                Pending next = pending.peek();
                Optional<List<CheckpointFile>> files = store.parts(next.step(), attempt, next.ranks());
                if (files.isEmpty()) {
                    return;
                }
                committed = store.commit(next.step(), new ArrayList<>(files.get()), next.state());
                pending.remove();
            }
        } catch (RuntimeException failed) {
            failure = failed;
        }
    }

    private void requireSound() {
        if (failure != null) {
            throw failure;
        }
    }

    /** Waits a little for what the ranks are writing, if they are all there: what is not whole then never will be. */
    @Override
    public void close() {
        commitWhatIsThere();
        long end = System.nanoTime() + GRACE.toNanos();
        while (isComing() && writersThere.getAsBoolean() && System.nanoTime() < end) {
            LockSupport.parkNanos(PAUSE.toNanos());
            commitWhatIsThere();
        }
        looking.shutdown();
    }

    private synchronized boolean isComing() {
        return failure == null && !pending.isEmpty();
    }
}
