package io.rlhf4j.config;

import java.util.ArrayList;
import java.util.List;

/** Everything that one run is told: the whole configuration file. */
public record RunConfig(
        @Doc(value = "Name of the run, and of its folder. The same name resumes the run.", preset = Doc.REQUIRED)
                String name,
        @Doc(value = "Folder that holds runs: a path or URI of any Hadoop file system.", preset = "runs") String folder,
        @Doc(
                        value =
                                "A recipe whose values stand where this file says nothing: `paper` (the defaults of this"
                                        + " page) or `small` (models below about 100 million parameters).",
                        preset = "paper")
                Profile profile,
        @Doc(value = "Seed of every random stream of the run.", preset = "0") long seed,
        @Doc(value = "The steps that `pipeline` runs, in this order.", preset = "[sft, reward, ppo]") List<Step> steps,
        @Doc("The models to start from.") ModelsConfig models,
        @Doc("How numbers are computed.") ComputeConfig compute,
        @Doc("Where rows come from, and what is done with them.") DataConfig data,
        @Doc("Step 1, supervised fine-tuning.") SftConfig sft,
        @Doc("Step 2, the reward model.") RewardModelConfig reward,
        @Doc("Step 3, proximal policy optimisation.") PpoConfig ppo,
        @Doc("When the state of a run is saved.") CheckpointConfig checkpoints,
        @Doc("Ranks, threads and Spark.") ClusterConfig cluster,
        @Doc("What is measured on held-out rows.") EvaluationConfig evaluation)
        implements Checked {
    @Override
    public List<Finding> findings() {
        List<Finding> findings = new ArrayList<>();
        if (!name.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,99}")) {
            findings.add(new Finding("name", "is '%s'; it names a folder: letters, digits, . _ -".formatted(name)));
        }
        if (steps.isEmpty() || steps.size() != steps.stream().distinct().count()) {
            findings.add(new Finding("steps", "has to name each step once, and one at least"));
        }
        if (!steps.stream().sorted().toList().equals(steps)) {
            findings.add(new Finding("steps", "has to keep the order sft, reward, ppo"));
        }
        if (cluster.collectives() == ClusterConfig.Transport.NCCL
                && !compute.backend().equalsIgnoreCase("cuda")) {
            findings.add(new Finding(
                    "cluster.collectives",
                    "is nccl, which moves tensors of GPUs: compute.backend has to be cuda, it is '%s'"
                            .formatted(compute.backend())));
        }
        return findings;
    }

    /** The run's own folder, {@code <folder>/<name>}. */
    public String path() {
        return folder.endsWith("/") ? folder + name : folder + "/" + name;
    }
}
