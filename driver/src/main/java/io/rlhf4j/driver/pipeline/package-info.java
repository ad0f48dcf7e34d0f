/** The three steps as Spark jobs: supervised fine-tuning, reward model, PPO; resumed wherever they were. */
package io.rlhf4j.driver.pipeline;
