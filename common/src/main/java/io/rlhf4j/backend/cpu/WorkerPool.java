package io.rlhf4j.backend.cpu;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * A few threads that share out the pieces of one operation. The caller works too; threads take the next piece when they
 * have done one. Which thread does a piece must not matter to its result.
 *
 * <p>An operation of a small model takes microseconds, so idle threads look for work for a moment before they sleep. A
 * caller that finds the pool taken by another caller does all its pieces itself.
 */
final class WorkerPool {
    private static final int LOOKS_BEFORE_SLEEP = 4_000;

    private final ConcurrentLinkedDeque<Workspace> idleWorkspaces = new ConcurrentLinkedDeque<>();
    private final Supplier<Workspace> workspaces;
    private final Runnable threadSetup;
    private final List<Worker> workers = new ArrayList<>();
    private final ReentrantLock taken = new ReentrantLock();
    private volatile Job current;

    /** One piece of work. */
    interface Task {
        void run(int index, Workspace workspace);
    }

    /** Part of a range. */
    interface RangeTask {
        void run(int from, int to, Workspace workspace);
    }

    /**
     * @param threads how many threads work on one operation, the caller included
     * @param workspaces makes what a working thread needs
     * @param threadSetup run by every thread before its work; cheap when repeated
     */
    WorkerPool(int threads, Supplier<Workspace> workspaces, Runnable threadSetup) {
        if (threads < 1) {
            throw new IllegalArgumentException("a backend needs a thread, given " + threads);
        }
        this.workspaces = workspaces;
        this.threadSetup = threadSetup;
        for (int i = 1; i < threads; i++) {
            Worker worker = new Worker(i);
            workers.add(worker);
            worker.start();
        }
    }

    int threads() {
        return workers.size() + 1;
    }

    /** Runs the pieces 0 to {@code tasks} - 1 and returns when all are done. */
    void run(int tasks, Task task) {
        boolean alone = tasks <= 1 || workers.isEmpty() || taken.isHeldByCurrentThread() || !taken.tryLock();
        if (alone) {
            runAlone(tasks, task);
            return;
        }
        try {
            Job job = new Job(tasks, task);
            current = job;
            for (Worker worker : workers) {
                worker.wake();
            }
            work(job);
            job.awaitDone();
            current = null;
            job.rethrow();
        } finally {
            taken.unlock();
        }
    }

    /** Runs [0, length) in pieces of {@code grain}, the last one shorter. */
    void forRanges(int length, int grain, RangeTask task) {
        int pieces = (length + grain - 1) / grain;
        run(pieces, (piece, workspace) -> task.run(piece * grain, Math.min(length, (piece + 1) * grain), workspace));
    }

    private void runAlone(int tasks, Task task) {
        threadSetup.run();
        Workspace workspace = borrow();
        try {
            for (int i = 0; i < tasks; i++) {
                task.run(i, workspace);
            }
        } finally {
            idleWorkspaces.push(workspace);
        }
    }

    private Workspace borrow() {
        Workspace workspace = idleWorkspaces.poll();
        return workspace == null ? workspaces.get() : workspace;
    }

    private void work(Job job) {
        if (job.next.get() >= job.tasks) {
            return;
        }
        threadSetup.run();
        Workspace workspace = borrow();
        try {
            for (int i = job.next.getAndIncrement(); i < job.tasks; i = job.next.getAndIncrement()) {
                job.runOne(i, workspace);
            }
        } finally {
            idleWorkspaces.push(workspace);
        }
    }

    private static final class Job {
        final int tasks;
        final AtomicInteger next = new AtomicInteger();
        private final AtomicInteger done = new AtomicInteger();
        private final Task task;
        private final Thread caller = Thread.currentThread();
        private volatile Throwable failure;

        Job(int tasks, Task task) {
            this.tasks = tasks;
            this.task = task;
        }

        void runOne(int index, Workspace workspace) {
            try {
                task.run(index, workspace);
            } catch (RuntimeException | Error e) {
                failure = e;
            } finally {
                if (done.incrementAndGet() == tasks) {
                    LockSupport.unpark(caller);
                }
            }
        }

        void awaitDone() {
            for (int look = 0; done.get() < tasks; look++) {
                if (look < LOOKS_BEFORE_SLEEP) {
                    Thread.onSpinWait();
                } else {
                    LockSupport.park(this);
                }
            }
        }

        void rethrow() {
            if (failure instanceof Error error) {
                throw error;
            }
            if (failure != null) {
                throw (RuntimeException) failure;
            }
        }
    }

    private final class Worker extends Thread {
        private volatile boolean asleep;

        Worker(int number) {
            super("rlhf4j-cpu-" + number);
            setDaemon(true);
        }

        void wake() {
            if (asleep) {
                LockSupport.unpark(this);
            }
        }

        @Override
        public void run() {
            Job last = null;
            while (true) {
                last = nextAfter(last);
                work(last);
            }
        }

        private Job nextAfter(Job last) {
            for (int look = 0; ; look++) {
                Job job = current;
                if (job != null && job != last) {
                    return job;
                }
                if (look < LOOKS_BEFORE_SLEEP) {
                    Thread.onSpinWait();
                } else {
                    asleep = true;
                    if (current == null || current == last) {
                        LockSupport.park(WorkerPool.this);
                    }
                    asleep = false;
                    look = 0;
                }
            }
        }
    }
}
