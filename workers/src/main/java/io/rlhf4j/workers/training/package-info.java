/**
 * The three steps of InstructGPT as one rank sees them: supervised fine-tuning, reward model, PPO. Every rank is given the
 * same rows and takes its own share of them, so that what is computed does not depend on the number of ranks.
 */
package io.rlhf4j.workers.training;
