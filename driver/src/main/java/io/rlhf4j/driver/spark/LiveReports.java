package io.rlhf4j.driver.spark;

import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.AccumulableInfo;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerExecutorMetricsUpdate;
import org.apache.spark.util.CollectionAccumulator;
import scala.jdk.javaapi.CollectionConverters;

/**
 * What a task says while it works: a job of minutes is heard of before it ends. A report comes with a heartbeat of its
 * executor ({@code spark.executor.heartbeatInterval}); those of the last seconds of a job may never come.
 */
public final class LiveReports<T> implements AutoCloseable {
    private final JavaSparkContext context;
    private final CollectionAccumulator<T> sent;
    private final Consumer<T> hear;
    private final Listener listener = new Listener();
    private int heard;
    private boolean closed;

    /**
     * Listens until closed.
     *
     * @param hear is given the reports in their order, by a thread of Spark; none after {@link #close}
     */
    public LiveReports(JavaSparkContext context, Consumer<T> hear) {
        this.context = context;
        this.hear = hear;
        // A name makes an accumulator part of the heartbeats.
        this.sent = context.sc().collectionAccumulator("reports-" + UUID.randomUUID());
        context.sc().addSparkListener(listener);
    }

    /** Where one task of the job adds its reports. */
    public CollectionAccumulator<T> sender() {
        return sent;
    }

    /** How many reports were heard. */
    public synchronized int heard() {
        return heard;
    }

    @Override
    public void close() {
        context.sc().removeSparkListener(listener);
        synchronized (this) {
            closed = true;
        }
    }

    /** A heartbeat has all reports so far, not only the newest. */
    private synchronized void hear(List<T> reports) {
        while (!closed && heard < reports.size()) {
            hear.accept(reports.get(heard));
            heard++;
        }
    }

    private final class Listener extends SparkListener {
        @Override
        public void onExecutorMetricsUpdate(SparkListenerExecutorMetricsUpdate update) {
            CollectionConverters.asJava(update.accumUpdates())
                    .forEach(task -> CollectionConverters.asJava(task._4()).forEach(this::take));
        }

        @SuppressWarnings("unchecked") // the value of our own accumulator
        private void take(AccumulableInfo info) {
            if (info.id() == sent.id() && info.update().isDefined()) {
                hear(new ArrayList<>((List<T>) info.update().get()));
            }
        }
    }
}
