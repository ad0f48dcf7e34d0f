package io.rlhf4j.config;

import java.util.Optional;

/** Training of the reward model on pairs (Ouyang et al. 2022, eq. 1). */
public record RewardModelConfig(
        @Doc("Model directory to start from, or `sft` for the run's own result of step 1. `models.reward` when absent.")
                Optional<String> initial,
        @Doc(value = "Passes over the pairs.", preset = "1", range = "(0, inf)") double epochs,
        @Doc(value = "Most optimizer steps; 0 sets no limit.", preset = "0", range = "[0, inf)") int maxSteps,
        @Doc(value = "Pairs of one optimizer step, over all ranks.", preset = "32", range = "[1, inf)") int batchSize,
        @Doc(
                        value =
                                "`last_token`: -log sigmoid of the difference of the scores at the last tokens, less the margin."
                                        + " `per_token`: its mean over all positions from the first difference to the longer end.",
                        preset = "last_token")
                Loss loss,
        @Doc(
                        value = "Weight of (chosen score + rejected score)^2, which keeps scores around zero.",
                        preset = "0",
                        range = "[0, inf)")
                double centering,
        @Doc(value = "The optimizer.", preset = "{learning_rate: 1.0e-5}") OptimizerConfig optimizer) {

    /** The value of {@link #initial} for "what step 1 of this run came to". */
    public static final String FROM_SFT = "sft";

    /** Whether the reward model starts from what step 1 of this run came to. */
    public boolean startsFromSft() {
        return initial.filter(FROM_SFT::equals).isPresent();
    }

    /** Where the score of a pair is read. */
    public enum Loss {
        /** At the last token of each response. */
        LAST_TOKEN,
        /** At every position where the responses differ. */
        PER_TOKEN
    }
}
