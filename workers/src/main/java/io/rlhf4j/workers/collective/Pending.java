package io.rlhf4j.workers.collective;

/**
 * An operation under way. Until {@link #await} has returned, nobody writes the operation's tensors nor reads its results;
 * they may not be freed either. Whoever starts an operation awaits it, from the thread that started it.
 */
public interface Pending {
    /**
     * Waits until the operation is done on this rank. Awaiting again returns at once.
     *
     * @throws CollectiveException where the group has failed
     */
    void await();
}
