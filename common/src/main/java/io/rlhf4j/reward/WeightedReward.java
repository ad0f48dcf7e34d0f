package io.rlhf4j.reward;

import io.rlhf4j.config.RewardCallConfig;

/**
 * One term of a sum of rewards.
 *
 * @param name in metrics and in the rollout table
 * @param weight factor in the sum
 * @param reward the reward; closed with the sum
 * @param call deadline, retries, and what a missing score means
 * @param apart whether calls run on a thread of their own, so that one that hangs can be given up; a reward that computes
 *     with tensors of this process watches its deadline itself
 */
public record WeightedReward(String name, double weight, Reward reward, RewardCallConfig call, boolean apart) {}
