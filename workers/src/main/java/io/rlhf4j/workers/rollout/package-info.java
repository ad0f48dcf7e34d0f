/**
 * Experience for PPO: a pure function of (weights, prompts, seeds) that generates answers and scores them, without a word
 * to any other rank.
 */
package io.rlhf4j.workers.rollout;
