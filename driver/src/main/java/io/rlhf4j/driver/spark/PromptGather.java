package io.rlhf4j.driver.spark;

import org.apache.spark.BarrierTaskContext;

/**
 * Spark's allGather without its second. A task that waits there sleeps a second at a time, be all others there or not, and
 * where an interrupt wakes it, looks whether they are (BarrierTaskContext.runBarrier); an interrupt that is a kill has a reason
 * beside it, which Spark looks at too. So the task is woken again and again while it sleeps.
 */
final class PromptGather implements AutoCloseable {
    private static final long LOOKS_EVERY_MILLIS = 5;

    private final BarrierTaskContext context;
    private final Thread sleeper = Thread.currentThread();
    private boolean over;

    private PromptGather(BarrierTaskContext context) {
        this.context = context;
        Thread waker = new Thread(this::wake, "rlhf4j-gather");
        waker.setDaemon(true);
        waker.start();
    }

    /** What all tasks of the stage bring, by partition. */
    static String[] allGather(BarrierTaskContext context, String own) {
        try (PromptGather gather = new PromptGather(context)) {
            return gather.context.allGather(own);
        }
    }

    private synchronized void wake() {
        while (!over) {
            if (sleeper.getState() == Thread.State.TIMED_WAITING) {
                sleeper.interrupt();
            }
            try {
                wait(LOOKS_EVERY_MILLIS);
            } catch (InterruptedException nobodyDoes) {
                return;
            }
        }
    }

    @Override
    public void close() {
        synchronized (this) {
            over = true;
            notifyAll();
        }
        // The last wake-up may have come too late; that of a kill stays.
        if (Thread.interrupted() && context.isInterrupted()) {
            sleeper.interrupt();
        }
    }
}
