package io.rlhf4j.workers.engine;

/** Adds up the time that some actions take. */
final class Stopwatch {
    private long nanos;

    void reset() {
        nanos = 0;
    }

    void time(Runnable action) {
        long begin = System.nanoTime();
        try {
            action.run();
        } finally {
            nanos += System.nanoTime() - begin;
        }
    }

    double seconds() {
        return nanos * 1e-9;
    }
}
