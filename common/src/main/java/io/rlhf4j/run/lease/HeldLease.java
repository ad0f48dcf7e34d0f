package io.rlhf4j.run.lease;

import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.run.Fence;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A lease in hand: shows that its holder lives, and finds out when it is lost. Closing gives it back. */
public final class HeldLease implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HeldLease.class);

    private final LeaseFiles files;
    private final Fence fence;
    private final Duration expiry;
    private final InstantSource clock;
    private LeaseRecord record;
    private Instant heard;
    private volatile boolean lost;
    private ScheduledExecutorService beats;

    HeldLease(LeaseRecord record, LeaseFiles files, Fence fence, Duration expiry, InstantSource clock) {
        this.record = record;
        this.files = files;
        this.fence = fence;
        this.expiry = expiry;
        this.clock = clock;
        this.heard = clock.instant();
    }

    /** Lets pass what this start of the run writes, as long as it holds the lease. */
    public Fence fence() {
        return fence;
    }

    /** Whether somebody else has taken it, or nobody could be shown for too long that the holder lives. */
    public boolean lost() {
        return lost;
    }

    void beatEvery(Duration interval, Runnable onLoss) {
        beats = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "lease-heartbeat");
            thread.setDaemon(true);
            return thread;
        });
        Runnable beat = () -> {
            if (!lost && !beat()) {
                onLoss.run();
            }
        };
        beats.scheduleAtFixedRate(beat, interval.toMillis(), interval.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Shows once that the holder lives. False where the lease is lost. */
    synchronized boolean beat() {
        try {
            Optional<LeaseRecord> stands = files.read(record.epoch());
            if (files.newest() != record.epoch()
                    || stands.isPresent() && !stands.get().owner().equals(record.owner())) {
                LOG.error("the lease of epoch {} is lost: epoch {} was taken", record.epoch(), files.newest());
                lost = true;
                return false;
            }
            record = record.beating(clock.instant());
            files.write(record);
            heard = clock.instant();
        } catch (IOException | Rlhf4jException failed) {
            LOG.warn("no heartbeat could be written", failed);
            lost = Duration.between(heard, clock.instant()).compareTo(expiry) >= 0;
        }
        return !lost;
    }

    /** Gives the lease back: the next start of the run need not wait. */
    @Override
    public void close() {
        if (beats != null) {
            beats.shutdown();
        }
        synchronized (this) {
            try {
                if (!lost && files.newest() == record.epoch()) {
                    files.write(record.ended(clock.instant()));
                }
            } catch (IOException | Rlhf4jException failed) {
                // It expires by itself; what the run came to is not to fail for it.
                LOG.warn("the lease could not be given back", failed);
            }
        }
    }
}
