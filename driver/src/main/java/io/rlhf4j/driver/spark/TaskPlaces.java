package io.rlhf4j.driver.spark;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import org.apache.spark.ExecutorLostFailure;
import org.apache.spark.SparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.SparkListenerTaskStart;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where the tasks of the job at hand run, and which of them went with their executors. Listens until closed. */
final class TaskPlaces extends SparkListener implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TaskPlaces.class);
    /** How long Spark's thread for listeners may be behind. */
    private static final long LAG_MILLIS = 2000;

    private final SparkContext context;
    private final Map<Integer, RankPlaces.Place> places = new HashMap<>();
    private final List<Loss> losses = new ArrayList<>();

    /** A task that went with its executor. */
    record Loss(RankPlaces.Place place, String reason) {}

    TaskPlaces(SparkContext context) {
        this.context = context;
        context.addSparkListener(this);
    }

    @Override
    public synchronized void onTaskStart(SparkListenerTaskStart start) {
        places.put(
                start.taskInfo().index(),
                new RankPlaces.Place(start.taskInfo().host(), start.taskInfo().executorId()));
    }

    @Override
    public synchronized void onTaskEnd(SparkListenerTaskEnd end) {
        if (end.reason() instanceof ExecutorLostFailure lost) {
            String reason = lost.reason().isDefined() ? lost.reason().get() : "Spark does not know why";
            losses.add(new Loss(new RankPlaces.Place(end.taskInfo().host(), lost.execId()), reason));
        }
    }

    /** How many tasks of the job an executor has. */
    synchronized long tasksOf(String executor) {
        return places.values().stream()
                .filter(place -> place.executor().equals(executor))
                .count();
    }

    /** Where a task runs, by its number. */
    synchronized Optional<RankPlaces.Place> of(int task) {
        return Optional.ofNullable(places.get(task));
    }

    /** The tasks that went with their executors, the first one first, once everything that happened is heard of. */
    List<Loss> losses() {
        try {
            context.listenerBus().waitUntilEmpty(LAG_MILLIS);
        } catch (TimeoutException busy) {
            LOG.warn("Spark's listeners are behind: what was lost may not be known yet", busy);
        }
        synchronized (this) {
            return List.copyOf(losses);
        }
    }

    @Override
    public void close() {
        context.removeSparkListener(this);
    }
}
