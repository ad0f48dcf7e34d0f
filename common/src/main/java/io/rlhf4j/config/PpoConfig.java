package io.rlhf4j.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Proximal policy optimisation (Schulman et al. 2017; with the KL reward of Ziegler et al. 2019). */
public record PpoConfig(
        @Doc("Directory of the actor. The run's SFT result when absent, else `models.actor`.") Optional<String> actor,
        @Doc("Directory of the reference. The one that the actor starts from when absent.") Optional<String> reference,
        @Doc("Directory of the reward model. The run's result of step 2 when absent.") Optional<String> rewardModel,
        @Doc(
                        value =
                                "Where the critic starts: `reward` (its head included), `actor` with a new head, or a model"
                                        + " directory.",
                        preset = "reward")
                String criticInit,
        @Doc(value = "Iterations of rollout and update.", preset = "100", range = "[1, inf)") int iterations,
        @Doc(value = "Prompts of one iteration.", preset = "64", range = "[1, inf)") int prompts,
        @Doc(value = "Samples for each prompt.", preset = "1", range = "[1, inf)") int samples,
        @Doc(value = "Passes over the rollouts of an iteration.", preset = "2", range = "[1, inf)") int epochs,
        @Doc(value = "Optimizer steps of one pass.", preset = "4", range = "[1, inf)") int minibatches,
        @Doc(value = "Discount of later rewards.", preset = "1", range = "[0, 1]") double gamma,
        @Doc(value = "Lambda of generalised advantage estimation.", preset = "0.95", range = "[0, 1]") double lambda,
        @Doc(value = "Whether advantages are whitened over all tokens of the iteration.", preset = "true")
                boolean whiten,
        @Doc(value = "Epsilon of the policy ratio's clipping.", preset = "0.2", range = "(0, inf)") double clip,
        @Doc(value = "Epsilon of the values' clipping.", preset = "0.2", range = "(0, inf)") double valueClip,
        @Doc(value = "Bound of the ratio's loss where the advantage is negative (dual clip).", range = "(1, inf)")
                Optional<Double> dualClip,
        @Doc(value = "Weight of the entropy bonus.", preset = "0", range = "[0, inf)") double entropy,
        @Doc(value = "An iteration ends early when the approximate KL exceeds this.", range = "(0, inf)")
                Optional<Double> targetKl,
        @Doc(value = "Scores are clipped to +- this.", preset = "5", range = "(0, inf)") double scoreClip,
        @Doc("Score of a response that did not end within the limit. The reward's own when absent.")
                Optional<Double> missingEosScore,
        @Doc("The penalty on leaving the reference.") KlConfig kl,
        @Doc("How responses are sampled.") SamplingConfig sampling,
        @Doc("What a response is worth: the weighted sum of these. The reward model alone when empty.")
                List<RewardConfig> rewards,
        @Doc("PPO-ptx: a language-model loss on unlabelled text beside the policy loss.") PtxConfig ptx,
        @Doc(
                        value = "Decay of the actor's moving average, for each optimizer step; 0 keeps none.",
                        preset = "0.992",
                        range = "[0, 1)")
                double ema,
        @Doc(
                        value =
                                "Whether updates start from the log-probabilities of generation, corrected by the ratio to"
                                        + " those of training, in the place of a forward of their own.",
                        preset = "false")
                boolean rolloutLogProbs,
        @Doc(value = "The actor's optimizer.", preset = "{learning_rate: 2.0e-6}") OptimizerConfig actorOptimizer,
        @Doc(value = "The critic's optimizer.", preset = "{learning_rate: 5.0e-6}") OptimizerConfig criticOptimizer)
        implements Checked {
    /** What an answer is worth: its score, or {@link #missingEosScore} where it {@code ended} only by the limit. */
    public double worth(double score, boolean ended) {
        return ended ? score : missingEosScore.orElse(score);
    }

    @Override
    public List<Finding> findings() {
        List<Finding> findings = new ArrayList<>();
        if (minibatches > (long) prompts * samples) {
            findings.add(new Finding(
                    "minibatches",
                    "is %d, more than the %d rollouts of an iteration (prompts x samples)"
                            .formatted(minibatches, (long) prompts * samples)));
        }
        if (sampling.greedy()) {
            findings.add(
                    new Finding("sampling", "has temperature 0; PPO explores by sampling: set a temperature above 0"));
        }
        List<String> names = rewards.stream().map(RewardConfig::name).toList();
        if (names.size() != names.stream().distinct().count()) {
            findings.add(new Finding("rewards", "has two rewards of one name; give each its own"));
        }
        return findings;
    }

    /** The value of {@link #criticInit} for "the reward model, head included". */
    public static final String FROM_REWARD = "reward";

    /** The value of {@link #criticInit} for "the actor, with a new head". */
    public static final String FROM_ACTOR = "actor";

    /** Optimizer steps planned for the whole of step 3. */
    public int plannedSteps() {
        return Math.multiplyExact(iterations, Math.multiplyExact(epochs, minibatches));
    }
}
