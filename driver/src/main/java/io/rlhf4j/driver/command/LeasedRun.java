package io.rlhf4j.driver.command;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.driver.pipeline.Pipeline;
import io.rlhf4j.driver.pipeline.Progress;
import io.rlhf4j.driver.spark.SparkSessions;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.run.Fence;
import io.rlhf4j.run.RunFolder;
import io.rlhf4j.run.lease.HeldLease;
import io.rlhf4j.run.lease.RunLease;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;

/** A run that this process may write, until it is closed or another start of the run takes over. */
final class LeasedRun implements AutoCloseable {
    private final Terminal terminal;
    private final Interrupts interrupts;
    private final RunConfig config;
    private final HeldLease lease;
    private final AtomicReference<Runnable> stop = new AtomicReference<>(() -> {});

    /**
     * Takes the run's lease; a holder that may be dead is waited out.
     *
     * @throws Rlhf4jException of kind RETRYABLE where another process writes the run
     */
    LeasedRun(Terminal terminal, Interrupts interrupts, RunConfig config, Configuration hadoop) throws IOException {
        this.terminal = terminal;
        this.interrupts = interrupts;
        this.config = config;
        try {
            this.lease = new RunLease(
                            RunFolder.of(config, hadoop),
                            hadoop,
                            config.cluster().leaseExpiry())
                    .take(terminal.err()::println, () -> stop.get().run());
        } catch (InterruptedException interrupted) {
            throw new Rlhf4jException(ErrorKind.INTERRUPTED, "while waiting for the run's lease", interrupted);
        }
    }

    /** Lets pass what this process writes to the run's folder. */
    Fence fence() {
        return lease.fence();
    }

    /** Does {@code work} with the run's jobs. */
    <T> T onSpark(Function<Pipeline, T> work) throws IOException {
        interrupts.check();
        try (SparkSession session = SparkSessions.start(config)) {
            Progress progress =
                    terminal.interactive() ? new BarProgress(terminal.err()) : new LineProgress(terminal.err());
            Pipeline pipeline = new Pipeline(session, config, progress, fence());
            interrupts.onStop(pipeline::interrupt);
            interrupts.check();
            stop.set(pipeline::interrupt);
            requireHeld();
            return work.apply(pipeline);
        }
    }

    /** @throws Rlhf4jException of kind RETRYABLE where the lease is lost */
    void requireHeld() {
        if (lease.lost()) {
            throw new Rlhf4jException(
                    ErrorKind.RETRYABLE,
                    ("run '%s' is no longer this process's to write: it was not heard of for longer than"
                                    + " cluster.lease_expiry, or another start has taken over; `rlhf4j wait` follows the run")
                            .formatted(config.name()));
        }
    }

    @Override
    public void close() {
        lease.close();
    }
}
