package io.rlhf4j.config;

/**
 * What ranks hold their own parts of instead of the whole, for each model (Rajbhandari et al. 2020). At equal ranks all
 * stages give the same run.
 */
public record ZeroConfig(
        @Doc(
                        value = "Stage of the model that step 1 trains: `0` cuts nothing, `1` optimizer states and"
                                + " fp32 masters, `2` gradients too, `3` weights too.",
                        preset = "0",
                        range = "[0, 3]")
                int sft,
        @Doc(value = "Stage of the reward model in step 2.", preset = "0", range = "[0, 3]") int reward,
        @Doc(value = "Stage of the actor in step 3, and of its moving average.", preset = "0", range = "[0, 3]")
                int actor,
        @Doc(value = "Stage of the critic in step 3.", preset = "0", range = "[0, 3]") int critic,
        @Doc(
                        value = "Stage of the reference in step 3. It has weights and nothing else: `3` cuts them, the"
                                + " others nothing. Where a model is cut that scores, the ranks score"
                                + " (`cluster.scoring`).",
                        preset = "0",
                        range = "[0, 3]")
                int reference,
        @Doc(
                        value = "Stage of the reward models that score in step 3, like that of the reference.",
                        preset = "0",
                        range = "[0, 3]")
                int rewardModel) {
    /** Whether no task alone can score: some of the models that only score are cut among the ranks. */
    public boolean cutsScoringModels() {
        return reference == 3 || rewardModel == 3;
    }
}
