package io.rlhf4j.config;

/** One part of what a response is worth. */
public sealed interface RewardConfig permits ModelReward, RuleReward, JavaReward, NetworkReward {
    /** Name of the part in metrics and rollouts. */
    String name();

    /** Factor of the part in the sum. */
    double weight();

    /** Deadline, retries, and what a missing reward means. */
    RewardCallConfig call();
}
