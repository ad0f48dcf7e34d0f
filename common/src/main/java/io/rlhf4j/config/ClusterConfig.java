package io.rlhf4j.config;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Ranks, threads, partitions and Spark. */
public record ClusterConfig(
        @Doc(
                        value = "Spark master. `auto` is the one of spark-submit, else `local[ranks]` on this machine.",
                        preset = "auto")
                String master,
        @Doc(value = "Data-parallel training ranks.", preset = "1", range = "[1, inf)") int ranks,
        @Doc("What ranks hold their own parts of.") ZeroConfig zero,
        @Doc("What lies on disk.") OffloadConfig offload,
        @Doc(
                        value = "Who asks the models what sampled answers are worth (log-probabilities of actor and"
                                + " reference, values, rewards). `tasks`: those of the rollout job, which then"
                                + " hold all models. `ranks`: all ranks together, at the beginning of the update"
                                + " job; tasks hold the actor alone. `auto`: ranks where a model that only scores"
                                + " is cut (`zero`), or where the models do not fit into `rank_memory` otherwise."
                                + " `plan` says which.",
                        preset = "auto")
                Scoring scoring,
        @Doc("Memory outside of the heap that a rank may have for tensors, such as `12g`: what its executor"
                        + " has beside the heap, divided by its ranks. A run whose models need more is refused"
                        + " before it starts. Nothing is judged when absent.")
                Optional<MemorySize> rankMemory,
        @Doc(
                        value = "Threads that one rank computes with; 0 divides the cores of this machine among the"
                                + " ranks, on a cluster it takes `spark.task.cpus`.",
                        preset = "0",
                        range = "[0, inf)")
                int threads,
        @Doc(
                        value = "Partitions of a rollout job. They are part of the run, so that a retry repeats one"
                                + " exactly; 0 makes as many as ranks.",
                        preset = "0",
                        range = "[0, inf)")
                int rolloutPartitions,
        @Doc(
                        value = "Whether generated bits depend on nothing but the row: equal for any partitioning, and"
                                + " slower.",
                        preset = "false")
                boolean batchInvariant,
        @Doc(
                        value = "Whether a run whose ranks cannot all be placed goes on with fewer. It is then not"
                                + " bit-equal.",
                        preset = "false")
                boolean elastic,
        @Doc(value = "How long the driver waits for slots.", preset = "120s") Duration slotTimeout,
        @Doc(
                        value = "How long a rank waits for the others in a collective operation before the job is"
                                + " aborted.",
                        preset = "10m")
                Duration collectiveTimeout,
        @Doc(
                        value = "How tensors go from rank to rank: `network` through the executors' memory and sockets"
                                + " between them, `nccl` from GPU to GPU, with the same results. `nccl` needs NCCL on"
                                + " every executor, `compute.backend: cuda` and a GPU for each rank.",
                        preset = "network")
                Transport collectives,
        @Doc(
                        value = "Tries of a step that come no further before the run fails: a new checkpoint begins"
                                + " the count anew.",
                        preset = "5",
                        range = "[1, inf)")
                int attempts,
        @Doc(
                        value = "Pause before the second try; it doubles from then on, until it is half a minute"
                                + " or more. Slots of lost executors are waited for beside it.",
                        preset = "1s")
                Duration backoff,
        @Doc(
                        value = "After how long without a sign of life the process that writes a run may be replaced"
                                + " by a new start of it. It gives six such signs in that time.",
                        preset = "30s")
                Duration leaseExpiry,
        @Doc(
                        value =
                                "Settings of Spark, by their own names; `spark.hadoop.*` are those of file systems, from"
                                        + " the first file on. A value may be `${env:NAME}` or `${file:PATH}`; secrets have to be.")
                Map<String, String> spark)
        implements Checked {
    /** Who scores sampled answers. */
    public enum Scoring {
        /** Decided before the run starts. */
        AUTO,
        /** The tasks of the rollout job, each for itself. */
        TASKS,
        /** All ranks together, in the update job. */
        RANKS
    }

    /** How tensors go from rank to rank. */
    public enum Transport {
        /** Through memory of the executors. */
        NETWORK,
        /** From GPU to GPU. */
        NCCL
    }

    @Override
    public List<Finding> findings() {
        List<Finding> findings = new ArrayList<>(Secrets.findings("spark", spark));
        if (scoring == Scoring.TASKS && zero.cutsScoringModels()) {
            findings.add(new Finding(
                    "scoring",
                    "is tasks, but zero.reference or zero.reward_model is 3: a task alone has a part of them"));
        }
        return findings;
    }

    /** Whether the ranks score sampled answers; not known before {@code auto} is decided. */
    public boolean ranksScore() {
        if (scoring == Scoring.AUTO) {
            throw new IllegalStateException("nobody has decided who scores");
        }
        return scoring == Scoring.RANKS;
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
