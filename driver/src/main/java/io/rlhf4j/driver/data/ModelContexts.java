package io.rlhf4j.driver.data;

import io.rlhf4j.config.ModelReward;
import io.rlhf4j.config.PpoConfig;
import io.rlhf4j.config.RewardConfig;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.Step;
import io.rlhf4j.format.PlainFiles;
import io.rlhf4j.hub.ModelDirectory;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** How many tokens the models of each step can read at once, by the config.json of the directories that they start from. */
final class ModelContexts {
    private final RunConfig config;
    private final Configuration hadoop;

    ModelContexts(RunConfig config, Configuration hadoop) {
        this.config = config;
        this.hadoop = hadoop;
    }

    /** The least context among the models of a step; {@link Integer#MAX_VALUE} where none has a limit. */
    Map<Step, Integer> ofSteps() throws IOException {
        Map<Step, Integer> contexts = new EnumMap<>(Step.class);
        contexts.put(Step.SFT, least(List.of(sft())));
        contexts.put(Step.REWARD, least(List.of(reward())));
        contexts.put(Step.PPO, least(ppo()));
        return contexts;
    }

    private String sft() {
        return config.sft().initial().orElse(config.models().actor());
    }

    private String reward() {
        return config.reward().startsFromSft()
                ? sft()
                : config.reward().initial().orElse(config.models().rewardOrActor());
    }

    /** What the step starts from has the architecture of what an earlier step started from, where it is that step's result. */
    private List<String> ppo() {
        PpoConfig ppo = config.ppo();
        List<String> directories = new ArrayList<>(List.of(ppo.actor().orElseGet(this::sft)));
        ppo.reference().ifPresent(directories::add);
        String rewardModel = ppo.rewardModel().orElseGet(this::reward);
        switch (ppo.criticInit()) {
            case PpoConfig.FROM_ACTOR -> {}
            case PpoConfig.FROM_REWARD -> directories.add(rewardModel);
            default -> directories.add(ppo.criticInit());
        }
        if (ppo.rewards().isEmpty()) {
            directories.add(rewardModel);
        }
        for (RewardConfig each : ppo.rewards()) {
            if (each instanceof ModelReward model) {
                directories.add(model.path().orElse(rewardModel));
            }
        }
        return directories;
    }

    /** A directory that is not there yet has no limit here; whoever loads the model says that it is missing. */
    private int least(List<String> directories) throws IOException {
        int least = Integer.MAX_VALUE;
        for (String directory : directories) {
            if (PlainFiles.exists(new Path(directory, "config.json"), hadoop)) {
                int context = new ModelDirectory(hadoop)
                        .describe(new Path(directory))
                        .config()
                        .maxPositions();
                least = context == 0 ? least : Math.min(least, context);
            }
        }
        return least;
    }
}
