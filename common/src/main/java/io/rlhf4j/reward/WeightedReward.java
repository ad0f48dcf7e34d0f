package io.rlhf4j.reward;

import io.rlhf4j.config.RewardCallConfig;

/**
 * One term of a sum of rewards.
 *
 * @param name in metrics and in the rollout table
 * @param weight factor in the sum
 * @param reward the reward; closed with the sum
 * @param call deadline, retries, and what a missing score means
 * @param apart whether calls run on a thread of their own, a few answers each, so that one that hangs can be given up. A
 *     reward that computes with tensors of this process, perhaps together with other ranks, is called once for all answers
 *     and watches its deadline itself; where it fails, so does the task
 */
public record WeightedReward(String name, double weight, Reward reward, RewardCallConfig call, boolean apart) {}
