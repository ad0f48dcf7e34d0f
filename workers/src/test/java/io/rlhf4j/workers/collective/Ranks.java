package io.rlhf4j.workers.collective;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Runs the same code on every rank of a group, each in a thread. */
public final class Ranks<T> implements AutoCloseable {
    /** What a rank does. */
    public interface Action<T> {
        T run(Collectives collectives) throws Exception;
    }

    private final List<Collectives> group;
    private final ExecutorService threads;

    public Ranks(List<Collectives> group) {
        this.group = group;
        this.threads = Executors.newFixedThreadPool(group.size());
    }

    /** The results by rank. A rank that fails aborts the group. */
    public List<T> all(Action<T> action) throws Exception {
        List<T> results = new ArrayList<>();
        for (Future<T> future : start(action)) {
            results.add(future.get());
        }
        return results;
    }

    /** What every rank throws, by rank. */
    public List<Throwable> failures(Action<T> action) throws Exception {
        List<Throwable> failures = new ArrayList<>();
        for (Future<T> future : start(action)) {
            try {
                throw new AssertionError("a rank came through with " + future.get());
            } catch (ExecutionException failed) {
                failures.add(failed.getCause());
            }
        }
        return failures;
    }

    private List<Future<T>> start(Action<T> action) {
        List<Future<T>> futures = new ArrayList<>();
        for (Collectives collectives : group) {
            futures.add(threads.submit(() -> action.run(collectives)));
        }
        return futures;
    }

    @Override
    public void close() {
        group.forEach(Collectives::close);
        threads.shutdownNow();
    }
}
