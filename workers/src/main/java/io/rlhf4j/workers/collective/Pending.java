package io.rlhf4j.workers.collective;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * An operation under way. Until {@link #await} has returned, nobody writes the operation's tensors nor reads its results;
 * they may not be freed either. Whoever starts an operation awaits it, from the thread that started it.
 */
public interface Pending {
    /** An operation that is done. */
    Pending NOTHING = () -> {};

    /**
     * Waits until the operation is done on this rank. Awaiting again returns at once.
     *
     * @throws CollectiveException where the group has failed
     */
    void await();

    /** This operation with {@code action} behind it, which the first await runs. */
    default Pending then(Runnable action) {
        AtomicBoolean done = new AtomicBoolean();
        return () -> {
            await();
            if (done.compareAndSet(false, true)) {
                action.run();
            }
        };
    }
}
