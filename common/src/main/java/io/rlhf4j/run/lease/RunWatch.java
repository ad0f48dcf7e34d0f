package io.rlhf4j.run.lease;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.run.RunFolder;
import io.rlhf4j.run.RunStatus;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.hadoop.conf.Configuration;

/** Follows a run that another process writes, from its folder alone. */
public final class RunWatch {
    private static final Duration INTERVAL = Duration.ofSeconds(1);

    private final RunFolder folder;
    private final RunLease lease;
    private final Duration expiry;
    private final RunLease.Pause pause;

    /**
     * A look at a run.
     *
     * @param expiry after how long without a sign of life the run's process is given up
     */
    public RunWatch(RunFolder folder, Configuration hadoop, Duration expiry) {
        this(folder, hadoop, expiry, duration -> Thread.sleep(duration.toMillis()));
    }

    RunWatch(RunFolder folder, Configuration hadoop, Duration expiry, RunLease.Pause pause) {
        this.folder = folder;
        this.lease = new RunLease(folder, hadoop, expiry);
        this.expiry = expiry;
        this.pause = pause;
    }

    /**
     * Waits for the end of the run.
     *
     * @param after only a start of the run with a higher epoch than this counts; 0 for any
     * @param timeout how long to wait at most
     * @param say hears what changes, a line each
     * @return how it ended
     * @throws Rlhf4jException of kind RETRYABLE where its process is not heard of any more, or the time is over
     */
    public RunStatus end(long after, Duration timeout, Consumer<String> say) throws IOException, InterruptedException {
        Optional<LeaseRecord> heard = Optional.empty();
        Duration silence = Duration.ZERO;
        String said = "";
        for (Duration waited = Duration.ZERO; ; waited = waited.plus(INTERVAL)) {
            Optional<RunStatus> status = folder.readStatus().filter(found -> found.epoch() > after);
            if (status.isPresent() && status.get().state() != RunStatus.State.RUNNING) {
                return status.get();
            }
            Optional<RunStatus> refused = folder.readRefusal().filter(found -> found.epoch() > after);
            if (refused.isPresent()
                    && refused.get().epoch() > status.map(RunStatus::epoch).orElse(after)) {
                return refused.get();
            }
            Optional<LeaseRecord> now = lease.look();
            silence = now.equals(heard) ? silence.plus(INTERVAL) : Duration.ZERO;
            heard = now;
            String line = status.map(running -> "run '%s': %s runs since %s"
                            .formatted(folder.root().getName(), running.command(), running.started()))
                    .orElse("run '%s' has not begun".formatted(folder.root().getName()));
            if (!line.equals(said)) {
                say.accept(line);
                said = line;
            }
            // Who gives the lease back has told its status before, so that soon there is nothing left to wait for.
            boolean left = now.isPresent() && now.get().released();
            if (status.isPresent() && silence.compareTo(left ? INTERVAL : expiry) >= 0) {
                throw new Rlhf4jException(
                        ErrorKind.RETRYABLE,
                        "run '%s': its process %s%s; the same command goes on from the last checkpoint"
                                .formatted(
                                        folder.root().getName(),
                                        left
                                                ? "ended without telling how"
                                                : "has not been heard of for %d s and is given up"
                                                        .formatted(silence.toSeconds()),
                                        heard.map(record -> " (" + record.holder() + ")")
                                                .orElse("")));
            }
            if (waited.compareTo(timeout) >= 0) {
                throw new Rlhf4jException(
                        ErrorKind.RETRYABLE,
                        "%s; that was all the time to wait, %d s".formatted(line, timeout.toSeconds()));
            }
            pause.sleep(INTERVAL);
        }
    }
}
