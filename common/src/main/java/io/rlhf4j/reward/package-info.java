/**
 * What an answer is worth. {@link io.rlhf4j.reward.Reward} is the interface of every kind: a reward model, a rule, a Java
 * class, a Deeplearning4j network; {@link io.rlhf4j.reward.RewardSum} weighs several together. A reward that does not come
 * has a declared meaning and is never a silent zero.
 */
package io.rlhf4j.reward;
