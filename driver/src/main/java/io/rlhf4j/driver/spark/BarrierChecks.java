package io.rlhf4j.driver.spark;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.time.Duration;
import java.util.function.LongConsumer;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;

/** What can be known before a barrier job is submitted, said in one sentence instead of Spark's ten minutes. */
final class BarrierChecks {
    private static final String GPUS_OF_A_TASK = "spark.task.resource.gpu.amount";
    private static final long LOOK_MILLIS = 200;

    private BarrierChecks() {}

    /** Refuses settings with which no barrier job runs. */
    static void requirePossible(SparkConf conf) {
        if (conf.getBoolean("spark.dynamicAllocation.enabled", false)) {
            throw cluster(
                    "spark.dynamicAllocation.enabled is true, but all ranks of a training job have to run at once,"
                            + " which Spark refuses under dynamic allocation (SPARK-24942); set it to false and ask for"
                            + " fixed executors");
        }
        double gpus = conf.getDouble(GPUS_OF_A_TASK, 1);
        if (gpus != 1) {
            throw cluster(("%s is %s, but a rank computes on one GPU, its own: set it to 1, and"
                            + " spark.executor.resource.gpu.amount to the ranks of an executor")
                    .formatted(GPUS_OF_A_TASK, conf.get(GPUS_OF_A_TASK)));
        }
    }

    /**
     * Refuses what would lie or go in the clear where Spark is told to encrypt.
     *
     * @param onDisk whether states or weights lie on executors' disks
     */
    static void requireSecure(SparkConf conf, int ranks, boolean onDisk) {
        if (onDisk && conf.getBoolean("spark.io.encryption.enabled", false)) {
            throw cluster("spark.io.encryption.enabled is true, but states and weights that lie on disk"
                    + " (cluster.offload) are not encrypted; keep them in memory, or set it to false and use an"
                    + " encrypted disk");
        }
        if (!haveRoomInOneExecutor(conf, ranks)) {
            RankGroup.requireClearAllowed(conf);
        }
    }

    /** Refuses NCCL where not every rank is given a GPU, or where ranks have to prove who they are. */
    static void requireNcclPossible(SparkConf conf, int ranks) {
        if (ranks == 1) {
            return;
        }
        if (isLocal(conf)) {
            throw cluster(
                    ("cluster.collectives is nccl, which needs a GPU for each of %d ranks, but in local mode Spark"
                                    + " gives out none; use a cluster, or set cluster.collectives to network")
                            .formatted(ranks));
        }
        if (!conf.contains(GPUS_OF_A_TASK)) {
            throw cluster(
                    ("cluster.collectives is nccl, which needs a GPU for each rank, but %s is not set; set it to 1,"
                                    + " spark.executor.resource.gpu.amount to the ranks of an executor, and"
                                    + " spark.executor.resource.gpu.discoveryScript")
                            .formatted(GPUS_OF_A_TASK));
        }
        if (!haveRoomInOneExecutor(conf, ranks)) {
            RankGroup.requireUnprovenAllowed(conf);
        }
    }

    private static boolean isLocal(SparkConf conf) {
        return conf.get("spark.master", "local").matches("local(\\[.*)?");
    }

    /** Without a number of cores an executor may have room for all of them. */
    private static boolean haveRoomInOneExecutor(SparkConf conf, int ranks) {
        int together = conf.getInt("spark.executor.cores", Integer.MAX_VALUE) / conf.getInt("spark.task.cpus", 1);
        return ranks <= together || isLocal(conf);
    }

    /**
     * Waits until the cluster has a slot for every rank, or the time is over.
     *
     * @param heard called with the seconds waited, once for each of them
     * @return how many slots there are
     */
    static int awaitSlots(SparkContext context, int ranks, Duration timeout, LongConsumer heard)
            throws InterruptedException {
        requirePossible(context.conf());
        long begin = System.nanoTime();
        int slots = slots(context);
        long told = -1;
        while (slots < ranks) {
            long waited = (System.nanoTime() - begin) / 1_000_000_000L;
            if (waited >= timeout.toSeconds() || context.isLocal()) {
                return slots;
            }
            if (waited > told) {
                heard.accept(waited);
                told = waited;
            }
            Thread.sleep(LOOK_MILLIS);
            slots = slots(context);
        }
        return slots;
    }

    /** Says that there are fewer slots than ranks. */
    static Rlhf4jException tooFewSlots(ErrorKind kind, int ranks, int slots) {
        return new Rlhf4jException(
                kind,
                ("%d ranks need %d slots at once, the cluster has %d; wait longer (cluster.slot_timeout), lower"
                                + " cluster.ranks, let the run go on with fewer (cluster.elastic), or give"
                                + " spark.executor.instances x spark.executor.cores / spark.task.cpus at least that many (local"
                                + " mode: local[%d])")
                        .formatted(ranks, ranks, slots, ranks));
    }

    private static int slots(SparkContext context) {
        return context.maxNumConcurrentTasks(context.resourceProfileManager().defaultResourceProfile());
    }

    private static Rlhf4jException cluster(String message) {
        return new Rlhf4jException(ErrorKind.CLUSTER, message);
    }
}
