package io.rlhf4j.driver.spark;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.time.Duration;
import java.util.function.LongConsumer;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;

/** What can be known before a barrier job is submitted, said in one sentence instead of Spark's ten minutes. */
final class BarrierChecks {
    private BarrierChecks() {}

    /** Refuses settings with which no barrier job runs. */
    static void requirePossible(SparkConf conf) {
        if (conf.getBoolean("spark.dynamicAllocation.enabled", false)) {
            throw cluster(
                    "spark.dynamicAllocation.enabled is true, but all ranks of a training job have to run at once, which"
                            + " Spark refuses under dynamic allocation (SPARK-24942); set it to false and ask for fixed executors");
        }
    }

    /**
     * Waits until the cluster has a slot for every rank.
     *
     * @param heard called with the seconds waited while it waits
     */
    static void awaitSlots(SparkContext context, int ranks, Duration timeout, LongConsumer heard)
            throws InterruptedException {
        requirePossible(context.conf());
        long begin = System.nanoTime();
        while (slots(context) < ranks) {
            long waited = (System.nanoTime() - begin) / 1_000_000_000L;
            if (waited >= timeout.toSeconds() || context.isLocal()) {
                throw cluster(
                        ("%d ranks need %d slots at once, the cluster has %d after %d s; lower cluster.ranks, or give"
                                        + " spark.executor.instances x spark.executor.cores / spark.task.cpus at least that many"
                                        + " (local mode: local[%d])")
                                .formatted(ranks, ranks, slots(context), waited, ranks));
            }
            heard.accept(waited);
            Thread.sleep(1000);
        }
    }

    private static int slots(SparkContext context) {
        return context.maxNumConcurrentTasks(context.resourceProfileManager().defaultResourceProfile());
    }

    private static Rlhf4jException cluster(String message) {
        return new Rlhf4jException(ErrorKind.CLUSTER, message);
    }
}
