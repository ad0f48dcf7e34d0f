package io.rlhf4j.config;

/** The language-model loss of PPO-ptx (Ouyang et al. 2022, eq. 2), on the `text` rows of the ppo step. */
public record PtxConfig(
        @Doc(value = "Weight of the loss; 0 is plain PPO.", preset = "0", range = "[0, inf)") double coefficient,
        @Doc(value = "Rows of text in one optimizer step, over all ranks.", preset = "8", range = "[1, inf)")
                int batchSize) {}
