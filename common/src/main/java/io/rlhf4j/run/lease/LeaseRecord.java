package io.rlhf4j.run.lease;

import java.time.Duration;
import java.time.Instant;

/**
 * Who holds a lease, as it stands in the run's folder.
 *
 * @param epoch the number of this start of the run, from 1
 * @param owner a name that no other start has
 * @param host where it runs
 * @param process its process number there
 * @param mark of the process: {@link ProcessMark}
 * @param since when it took the lease, ISO 8601
 * @param heartbeat when it was last heard of, ISO 8601, by its own clock
 * @param released whether it has ended in order
 */
public record LeaseRecord(
        long epoch,
        String owner,
        String host,
        long process,
        String mark,
        String since,
        String heartbeat,
        boolean released) {
    LeaseRecord beating(Instant now) {
        return new LeaseRecord(epoch, owner, host, process, mark, since, now.toString(), released);
    }

    LeaseRecord ended(Instant now) {
        return new LeaseRecord(epoch, owner, host, process, mark, since, now.toString(), true);
    }

    /** How long ago it was heard of, if its clock and that of {@code now} agree. */
    Duration age(Instant now) {
        return Duration.between(Instant.parse(heartbeat), now);
    }

    /** Whether its process is known to have ended: it ran on this machine and is no more. */
    boolean isDead() {
        return ProcessMark.hasEnded(mark);
    }

    /** The holder in words. */
    String holder() {
        return "process %d on %s (start %d of the run, since %s)".formatted(process, host, epoch, since);
    }
}
