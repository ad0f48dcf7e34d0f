package io.rlhf4j.run.lease;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.run.RunFolder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * The right to write a run. It belongs to one process at a time, who shows by a heartbeat that it lives. A holder that is
 * not heard of for the time of expiry has lost it; so has, at its next look, one that was replaced.
 *
 * <p>No two clocks have to agree: a newcomer watches the heartbeat for the time that its own clock finds missing, and for
 * two beats at least. A holder whose heartbeat moves while it is watched is alive, and the newcomer is refused. One that ran
 * on the newcomer's machine and is no more is not waited for.
 */
public final class RunLease {
    /** Beats within the time of expiry. */
    private static final int BEATS = 6;

    private final String run;
    private final Path folder;
    private final LeaseFiles files;
    private final Duration expiry;
    private final InstantSource clock;
    private final Pause pause;

    /** How a newcomer waits. */
    @FunctionalInterface
    interface Pause {
        void sleep(Duration duration) throws InterruptedException;
    }

    /**
     * The lease of a run.
     *
     * @param expiry after how long without a heartbeat its holder has lost it; six beats
     */
    public RunLease(RunFolder run, Configuration hadoop, Duration expiry) {
        this(run, hadoop, expiry, InstantSource.system(), duration -> Thread.sleep(duration.toMillis()));
    }

    RunLease(RunFolder run, Configuration hadoop, Duration expiry, InstantSource clock, Pause pause) {
        this.run = run.root().getName();
        this.folder = run.lease();
        this.files = new LeaseFiles(folder, hadoop);
        this.expiry = expiry;
        this.clock = clock;
        this.pause = pause;
    }

    /** Who holds the lease or held it last; empty where nobody did. */
    public Optional<LeaseRecord> look() throws IOException {
        return files.read(files.newest());
    }

    /** Whether the holder was heard of within the time of expiry, if its clock and ours agree. */
    public boolean heard(LeaseRecord record) {
        return !record.released() && record.age(clock.instant()).compareTo(expiry) < 0;
    }

    /**
     * Takes the lease, and beats from now on.
     *
     * @param say hears that a former holder is waited for
     * @param lost run when the lease is lost; by another thread
     * @throws Rlhf4jException of kind RETRYABLE where somebody else holds it and lives
     */
    public HeldLease take(Consumer<String> say, Runnable lost) throws IOException, InterruptedException {
        HeldLease held = take(say);
        held.beatEvery(beat(), lost);
        return held;
    }

    /** Takes the lease without beating. */
    HeldLease take(Consumer<String> say) throws IOException, InterruptedException {
        long newest = files.newest();
        if (newest > 0) {
            awaitEnd(newest, say);
        }
        String now = clock.instant().toString();
        long process = ProcessHandle.current().pid();
        LeaseRecord mine = new LeaseRecord(
                newest + 1, UUID.randomUUID().toString(), host(), process, ProcessMark.of(process), now, now, false);
        if (!files.claim(mine) || files.newest() != mine.epoch()) {
            throw held(files.read(files.newest()));
        }
        files.removeBelow(mine.epoch());
        return new HeldLease(mine, files, new EpochFence(folder.toString(), mine.epoch()), expiry, clock);
    }

    /** Returns when the holder has given the lease back or cannot be alive. */
    private void awaitEnd(long epoch, Consumer<String> say) throws IOException, InterruptedException {
        Optional<LeaseRecord> first = files.read(epoch);
        if (first.isPresent() && !first.get().released() && first.get().isDead()) {
            say.accept("run '%s' was not given back by %s, which has ended; this start takes over"
                    .formatted(run, holder(first)));
            return;
        }
        Duration toWatch = first.map(this::toWatch).orElse(expiry);
        if (!toWatch.isZero()) {
            say.accept(("run '%s' was not given back by %s; waiting up to %d s for it to be heard of or to be given up")
                    .formatted(run, holder(first), seconds(toWatch)));
        }
        Duration step = beat().dividedBy(2);
        for (Duration watched = Duration.ZERO; watched.compareTo(toWatch) < 0; watched = watched.plus(step)) {
            pause.sleep(step);
            Optional<LeaseRecord> now = files.read(epoch);
            if (files.newest() != epoch) {
                throw held(files.read(files.newest()));
            }
            if (now.isPresent() && now.get().released()) {
                return;
            }
            if (!now.equals(first)) {
                throw held(now);
            }
        }
    }

    private Duration toWatch(LeaseRecord record) {
        if (record.released()) {
            return Duration.ZERO;
        }
        Duration left = expiry.minus(record.age(clock.instant()));
        Duration least = beat().multipliedBy(2);
        Duration capped = left.compareTo(expiry) > 0 ? expiry : left;
        return capped.compareTo(least) < 0 ? least : capped;
    }

    private Rlhf4jException held(Optional<LeaseRecord> record) {
        return new Rlhf4jException(
                ErrorKind.RETRYABLE,
                ("run '%s' is held by %s, which is alive; one run has one writer: wait for its end (`rlhf4j wait`), stop it,"
                                + " or give this run another name")
                        .formatted(run, holder(record)));
    }

    private Duration beat() {
        return expiry.dividedBy(BEATS);
    }

    private static String holder(Optional<LeaseRecord> record) {
        return record.map(LeaseRecord::holder).orElse("a process that is just taking it");
    }

    private static long seconds(Duration duration) {
        return Math.max(1, duration.toSeconds());
    }

    private static String host() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException nameless) {
            // Only for messages.
            return "a host without a name";
        }
    }
}
