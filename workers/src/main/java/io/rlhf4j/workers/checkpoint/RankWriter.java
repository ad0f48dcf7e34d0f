package io.rlhf4j.workers.checkpoint;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.format.NamedTensor;
import io.rlhf4j.format.SafetensorsWriter;
import io.rlhf4j.tensor.Scope;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.apache.hadoop.conf.Configuration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes a rank's part of checkpoints, at once or while the rank goes on with its work: from a copy then, by a thread of its
 * own, one checkpoint at a time. A part that could not be written is an error of what the rank does next here.
 */
public final class RankWriter implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RankWriter.class);

    private final Scope copies;
    private FutureTask<Void> writing;
    private Snapshot snapshot;

    /**
     * A writer.
     *
     * @param copies of a backend in memory of this process; holds a copy for as long as its writing takes
     */
    public RankWriter(Scope copies) {
        this.copies = copies;
    }

    /**
     * Writes a part and returns when it is there.
     *
     * @throws Rlhf4jException of kind RETRYABLE where it, or the one before it, could not be written
     */
    public void write(CheckpointStore store, RankState state, Configuration hadoop) {
        await();
        writeAll(store, state, hadoop);
    }

    /**
     * Copies what is to be written, and writes it while the caller goes on.
     *
     * @throws Rlhf4jException of kind RETRYABLE where the one before it could not be written
     */
    public void start(CheckpointStore store, RankState state, Configuration hadoop) {
        await();
        RankState copied = copy(state);
        writing = new FutureTask<>(
                () -> {
                    writeAll(store, copied, hadoop);
                },
                null);
        Thread thread = new Thread(writing, "rlhf4j-checkpoint");
        thread.setDaemon(true);
        thread.start();
    }

    private RankState copy(RankState state) {
        try {
            List<NamedTensor> all = new ArrayList<>();
            state.tensors().values().forEach(all::addAll);
            snapshot = Snapshot.of(all, copies);
            Map<String, List<NamedTensor>> copied = new LinkedHashMap<>();
            int next = 0;
            for (Map.Entry<String, List<NamedTensor>> group : state.tensors().entrySet()) {
                int end = next + group.getValue().size();
                copied.put(group.getKey(), snapshot.tensors().subList(next, end));
                next = end;
            }
            return new RankState(state.step(), state.names(), copied);
        } catch (IOException impossible) {
            throw new UncheckedIOException("tensors in memory cannot be read", impossible);
        }
    }

    private static void writeAll(CheckpointStore store, RankState state, Configuration hadoop) {
        SafetensorsWriter writer = new SafetensorsWriter(hadoop);
        List<CheckpointFile> files = new ArrayList<>();
        state.tensors()
                .forEach((name, tensors) -> files.add(store.write(
                        state.step(), state.names().tensors(name), out -> writer.write(out, tensors, Map.of()))));
        store.writePart(state.step(), state.names(), files);
        RankFiles names = state.names();
        LOG.info("checkpoint written: rank {} of {}, step {}", names.rank(), names.ranks(), state.step());
    }

    /**
     * Frees what the last part needed if it is written, without waiting for it.
     *
     * @throws Rlhf4jException of kind RETRYABLE where it could not be written
     */
    public void check() {
        if (writing != null && writing.isDone()) {
            await();
        }
    }

    /** Waits until the last part is written. */
    private void await() {
        if (writing == null) {
            return;
        }
        try {
            writing.get();
        } catch (ExecutionException failed) {
            ErrorKind kind = failed.getCause() instanceof Rlhf4jException known ? known.kind() : ErrorKind.RETRYABLE;
            throw new Rlhf4jException(kind, failed.getCause().getMessage(), failed.getCause());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new Rlhf4jException(
                    ErrorKind.INTERRUPTED, "interrupted while a checkpoint was being written", interrupted);
        } finally {
            if (writing.isDone()) {
                writing = null;
                free();
            }
        }
    }

    private void free() {
        if (snapshot != null) {
            snapshot.close();
            snapshot = null;
        }
    }

    /** Waits for what is being written: the checkpoint may yet become whole, though this rank's work has failed. */
    @Override
    public void close() {
        try {
            await();
        } catch (Rlhf4jException unwritten) {
            LOG.error("a checkpoint is not whole: {}", unwritten.getMessage(), unwritten);
        }
    }
}
