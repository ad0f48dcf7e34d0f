package io.rlhf4j.config;

/** A Deeplearning4j network over features of the text. In a file: {@code kind: network}. */
@Kind("network")
public record NetworkReward(
        @Doc(value = "Name in metrics.", preset = "network") String name,
        @Doc(value = "Factor in the sum.", preset = "1") double weight,
        @Doc(value = "File that ModelSerializer wrote.", preset = Doc.REQUIRED) String path,
        @Doc("Deadline, retries, missing rewards.") RewardCallConfig call)
        implements RewardConfig {}
