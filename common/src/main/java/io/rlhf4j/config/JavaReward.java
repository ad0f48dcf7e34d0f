package io.rlhf4j.config;

import java.util.List;
import java.util.Map;

/** A class of the user's that implements {@code io.rlhf4j.reward.Reward}. In a file: {@code kind: java}. */
@Kind("java")
public record JavaReward(
        @Doc(value = "Name in metrics.", preset = "java") String name,
        @Doc(value = "Factor in the sum.", preset = "1") double weight,
        @Doc(
                        value = "Name of the class. It has a constructor without parameters or one that takes a"
                                + " `Map<String, String>`.",
                        preset = Doc.REQUIRED)
                String className,
        @Doc("What the constructor is given.") Map<String, String> settings,
        @Doc("Deadline, retries, missing rewards.") RewardCallConfig call)
        implements RewardConfig, Checked {
    @Override
    public List<Finding> findings() {
        return Secrets.findings("settings", settings);
    }
}
