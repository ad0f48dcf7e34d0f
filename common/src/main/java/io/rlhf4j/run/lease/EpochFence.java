package io.rlhf4j.run.lease;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.run.Fence;
import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * Lets the start of a run pass that took its lease last. It looks into the run's folder each time: who was stopped and
 * continued knows nothing of what happened meanwhile.
 *
 * @param folder of the lease
 * @param epoch of the writer
 */
record EpochFence(String folder, long epoch) implements Fence {
    private static final long serialVersionUID = 1L;

    @Override
    public void pass(Path path, Configuration hadoop) {
        try {
            long newest = new LeaseFiles(new Path(folder), hadoop).newest();
            if (newest != epoch) {
                throw new Rlhf4jException(
                        ErrorKind.RETRYABLE,
                        newest == 0
                                ? "%s: not written, because %s is gone; was the run's folder removed while it ran?"
                                        .formatted(path, folder)
                                : ("%s: not written by start %d of the run, which has lost its lease: start %d has taken"
                                                + " over and goes on with the run")
                                        .formatted(path, epoch, newest));
            }
        } catch (IOException unreadable) {
            throw new Rlhf4jException(
                    ErrorKind.RETRYABLE,
                    "%s: cannot tell whether this start of the run still holds its lease: %s"
                            .formatted(folder, unreadable.getMessage()),
                    unreadable);
        }
    }
}
