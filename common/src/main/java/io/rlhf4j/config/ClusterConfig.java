package io.rlhf4j.config;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/** Ranks, threads, partitions and Spark. */
public record ClusterConfig(
        @Doc(
                        value = "Spark master. `auto` is the one of spark-submit, else `local[ranks]` on this machine.",
                        preset = "auto")
                String master,
        @Doc(value = "Data-parallel training ranks.", preset = "1", range = "[1, inf)") int ranks,
        @Doc("What ranks hold their own parts of.") ZeroConfig zero,
        @Doc(
                        value =
                                "Threads that one rank computes with; 0 divides the cores of this machine among the ranks, on a"
                                        + " cluster it takes `spark.task.cpus`.",
                        preset = "0",
                        range = "[0, inf)")
                int threads,
        @Doc(
                        value =
                                "Partitions of a rollout job. They are part of the run, so that a retry repeats one exactly;"
                                        + " 0 makes as many as ranks.",
                        preset = "0",
                        range = "[0, inf)")
                int rolloutPartitions,
        @Doc(
                        value =
                                "Whether generated bits depend on nothing but the row: equal for any partitioning, and slower.",
                        preset = "false")
                boolean batchInvariant,
        @Doc(
                        value =
                                "Whether a run whose ranks cannot all be placed goes on with fewer. It is then not bit-equal.",
                        preset = "false")
                boolean elastic,
        @Doc(value = "How long the driver waits for slots.", preset = "120s") Duration slotTimeout,
        @Doc(
                        value =
                                "How long a rank waits for the others in a collective operation before the job is aborted.",
                        preset = "10m")
                Duration collectiveTimeout,
        @Doc(
                        value =
                                "Tries of a step that come no further before the run fails: a new checkpoint begins the count"
                                        + " anew.",
                        preset = "5",
                        range = "[1, inf)")
                int attempts,
        @Doc(
                        value =
                                "Pause before the second try; it doubles from then on. Slots of lost executors are waited for"
                                        + " beside it.",
                        preset = "1s")
                Duration backoff,
        @Doc(
                        value =
                                "After how long without a sign of life the process that writes a run may be replaced by a"
                                        + " new start of it. It gives six such signs in that time.",
                        preset = "30s")
                Duration leaseExpiry,
        @Doc(
                        value =
                                "Settings of Spark, by their own names. A value may be `${env:NAME}` or `${file:PATH}`; secrets"
                                        + " have to be.")
                Map<String, String> spark)
        implements Checked {
    @Override
    public List<Finding> findings() {
        return Secrets.findings("spark", spark);
    }

    /** Partitions of a rollout job, for sure. */
    public int rolloutPartitionsOrRanks() {
        return rolloutPartitions == 0 ? ranks : rolloutPartitions;
    }

    /** Threads of one rank, for sure: what is set, or this machine's cores divided by the ranks. */
    public int threadsOrShare() {
        return threads > 0 ? threads : Math.max(1, Runtime.getRuntime().availableProcessors() / ranks);
    }
}
