package io.rlhf4j.driver.plan;

import io.rlhf4j.config.ClusterConfig.Scoring;
import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.MemorySize;
import io.rlhf4j.config.RunConfig;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;

/**
 * Who scores sampled answers, and why. It follows from the configuration and the sizes of the models alone: whoever decides
 * it, on whatever machine, decides the same.
 *
 * @param scoring not {@code AUTO}
 * @param reason in the words of a plan
 */
public record ScoringChoice(Scoring scoring, String reason) {
    /** The configuration with {@code cluster.scoring} decided. */
    public static RunConfig settle(RunConfig config, Configuration hadoop) throws IOException {
        if (config.cluster().scoring() != Scoring.AUTO) {
            return config;
        }
        Scoring scoring = of(config, hadoop).scoring();
        return ConfigFile.read(
                ConfigFile.write(config),
                config.name(),
                List.of("cluster.scoring=" + (scoring == Scoring.RANKS ? "ranks" : "tasks")));
    }

    private static ScoringChoice of(RunConfig config, Configuration hadoop) throws IOException {
        Optional<MemorySize> allowed = config.cluster().rankMemory();
        // Models are looked up only where their sizes matter.
        return allowed.isEmpty() || config.cluster().zero().cutsScoringModels()
                ? withoutSizes(config)
                : of(config, new PpoPlan(config, new ModelLookup(hadoop)));
    }

    /** The choice for a step whose models are known. */
    static ScoringChoice of(RunConfig config, PpoPlan plan) {
        Optional<MemorySize> allowed = config.cluster().rankMemory();
        if (config.cluster().scoring() != Scoring.AUTO
                || allowed.isEmpty()
                || config.cluster().zero().cutsScoringModels()) {
            return withoutSizes(config);
        }
        long needed = plan.of(Scoring.TASKS, "").bytes();
        return needed > allowed.get().bytes()
                ? new ScoringChoice(
                        Scoring.RANKS,
                        "all models together would take %s, more than cluster.rank_memory"
                                .formatted(Bytes.text(needed)))
                : new ScoringChoice(Scoring.TASKS, "all models fit into cluster.rank_memory");
    }

    private static ScoringChoice withoutSizes(RunConfig config) {
        return switch (config.cluster().scoring()) {
            case TASKS, RANKS -> new ScoringChoice(config.cluster().scoring(), "cluster.scoring says so");
            case AUTO ->
                config.cluster().zero().cutsScoringModels()
                        ? new ScoringChoice(Scoring.RANKS, "models that only score are cut among them")
                        : new ScoringChoice(Scoring.TASKS, "nothing asks for less memory");
        };
    }

    /** For the sentence of a plan. */
    String sentence() {
        return "answers are scored by %s (%s)"
                .formatted(
                        scoring == Scoring.RANKS
                                ? "all ranks together, at the beginning of each update"
                                : "the tasks that sample them",
                        reason);
    }
}
