package io.rlhf4j.config;

import java.util.Optional;

/** The score of a reward model at the last token. In a file: {@code kind: model}. */
@Kind("model")
public record ModelReward(
        @Doc(value = "Name in metrics.", preset = "model") String name,
        @Doc(value = "Factor in the sum.", preset = "1") double weight,
        @Doc("Directory of the model. `ppo.reward_model` when absent.") Optional<String> path,
        @Doc(
                        value = "Deadline, and what a score means that is no number. A model that fails is not called"
                                + " again.",
                        preset = "{deadline: 10m}")
                RewardCallConfig call)
        implements RewardConfig {}
