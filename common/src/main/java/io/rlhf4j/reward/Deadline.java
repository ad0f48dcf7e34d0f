package io.rlhf4j.reward;

import java.io.InterruptedIOException;
import java.time.Duration;

/** The moment by which a call has to be done. */
public final class Deadline {
    private final Duration allowed;
    private final long end;

    private Deadline(Duration allowed) {
        this.allowed = allowed;
        this.end = System.nanoTime() + allowed.toNanos();
    }

    /** The moment after {@code duration} from now. */
    public static Deadline in(Duration duration) {
        return new Deadline(duration);
    }

    /** What is left; zero when the moment has passed. */
    public Duration remaining() {
        return Duration.ofNanos(Math.max(0, end - System.nanoTime()));
    }

    /** Does nothing while there is time. For rewards that work in pieces. */
    public void check() throws InterruptedIOException {
        if (remaining().isZero()) {
            throw new InterruptedIOException("not done within " + allowed.toMillis() + " ms");
        }
    }
}
