package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.ModelReward;
import io.rlhf4j.config.PpoConfig;
import io.rlhf4j.config.RewardCallConfig;
import io.rlhf4j.config.RewardConfig;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.hub.ModelDirectory;
import io.rlhf4j.reward.VocabularyCheck;
import io.rlhf4j.run.RunFolder;
import io.rlhf4j.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.Serializable;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * The model directories that step 3 starts from.
 *
 * @param actor where the actor starts
 * @param reference what the actor is held close to
 * @param critic where the critic starts: a score model, or a causal one that is given a new head
 * @param rewardModel the run's reward model; null where nothing asks for one
 */
record PpoModels(String actor, String reference, String critic, String rewardModel) implements Serializable {
    private static final RewardCallConfig CALL =
            new RewardCallConfig(Duration.ofMinutes(10), 0, RewardCallConfig.Missing.FAIL, 0);

    /**
     * The directories that {@code config} means, the results of earlier steps before the models it names.
     *
     * @throws Rlhf4jException of kind CONFIGURATION where one is missing or they have different vocabularies
     */
    static PpoModels of(RunConfig config, Configuration hadoop) throws IOException {
        PpoConfig ppo = config.ppo();
        RunFolder folder = RunFolder.of(config, hadoop);
        String actor = ppo.actor()
                .or(() -> exported(folder, "sft", hadoop))
                .orElse(config.models().actor());
        String reward =
                ppo.rewardModel().or(() -> exported(folder, "reward", hadoop)).orElse(null);
        String critic =
                switch (ppo.criticInit()) {
                    case PpoConfig.FROM_REWARD -> required(reward, "ppo.critic_init is 'reward'");
                    case PpoConfig.FROM_ACTOR -> actor;
                    default -> ppo.criticInit();
                };
        PpoModels models = new PpoModels(actor, ppo.reference().orElse(actor), critic, reward);
        models.requireOneVocabulary(config, hadoop);
        return models;
    }

    /** What a response is worth: what the configuration lists, else the reward model alone. */
    static List<RewardConfig> rewards(PpoConfig ppo) {
        return ppo.rewards().isEmpty() ? List.of(new ModelReward("model", 1, Optional.empty(), CALL)) : ppo.rewards();
    }

    /** The directory that a reward by a model reads. */
    String directoryOf(ModelReward reward) {
        return reward.path()
                .orElseGet(() -> required(rewardModel, "the reward '%s' is a model".formatted(reward.name())));
    }

    private void requireOneVocabulary(RunConfig config, Configuration hadoop) throws IOException {
        TreeSet<String> others = new TreeSet<>(List.of(reference, critic));
        for (RewardConfig reward : rewards(config.ppo())) {
            if (reward instanceof ModelReward model) {
                others.add(directoryOf(model));
            }
        }
        others.remove(actor);
        ModelDirectory directories = new ModelDirectory(hadoop);
        int size = directories.describe(new Path(actor)).config().vocabSize();
        try (Tokenizer tokenizer = Tokenizer.load(new Path(config.models().tokenizerOrActor()), hadoop)) {
            for (String other : others) {
                int otherSize = directories.describe(new Path(other)).config().vocabSize();
                VocabularyCheck.requireSizes(actor, Math.min(size, tokenizer.vocabularySize()), other, otherSize);
                if (hasFile(other, "tokenizer.json", hadoop)) {
                    try (Tokenizer otherTokenizer = Tokenizer.load(new Path(other), hadoop)) {
                        VocabularyCheck.require(actor, tokenizer, other, otherTokenizer);
                    }
                }
            }
        }
    }

    private static Optional<String> exported(RunFolder folder, String model, Configuration hadoop) {
        String directory = folder.export(model).toString();
        return hasFile(directory, "config.json", hadoop) ? Optional.of(directory) : Optional.empty();
    }

    static boolean hasFile(String directory, String name, Configuration hadoop) {
        Path file = new Path(directory, name);
        try {
            return file.getFileSystem(hadoop).exists(file);
        } catch (IOException unreadable) {
            throw Rlhf4jException.data("cannot look for %s: %s".formatted(file, unreadable.getMessage()), unreadable);
        }
    }

    private static String required(String directory, String reason) {
        if (directory == null) {
            throw Rlhf4jException.configuration(reason
                    + ", but the run has no reward model: run the step `reward` first, or set ppo.reward_model to a"
                    + " directory");
        }
        return directory;
    }
}
