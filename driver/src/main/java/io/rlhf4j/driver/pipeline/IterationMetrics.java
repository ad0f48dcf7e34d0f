package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.data.Rollout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The metrics of one iteration of PPO: those of its update, and what only the driver sees. Seconds of a phase are those of a
 * rank, so that phases can be compared; tokens a second are those of all ranks together.
 */
final class IterationMetrics {
    private final RunConfig config;

    IterationMetrics(RunConfig config) {
        this.config = config;
    }

    /**
     * All of them.
     *
     * @param update metrics of the update
     * @param prompts how many there were
     * @param rolled what came of them, and the seconds that it took
     * @param iterationSeconds of the iteration so far
     */
    Map<String, Double> of(
            Map<String, Double> update, int prompts, RolloutTable.Committed rolled, double iterationSeconds) {
        Map<String, Double> metrics = new LinkedHashMap<>(update);
        metrics.putAll(rolled.seconds());
        List<Rollout> rollouts = rolled.rollouts();
        metrics.put("seconds_iteration", iterationSeconds);
        long sampled = rollouts.stream()
                .mapToLong(rollout -> rollout.response().length)
                .sum();
        metrics.put("tokens_per_second_generate", sampled / rolled.seconds().get("seconds_generate"));
        metrics.put(
                "tokens_per_second_score", tokens(rollouts) / rolled.seconds().get("seconds_score"));
        metrics.put("tokens_per_second_train", trainedTokens(update, rollouts) / trainSeconds(update));
        double asked = (double) prompts * config.ppo().samples();
        metrics.put("dropped_rate", 1 - rollouts.size() / asked);
        return metrics;
    }

    /** Tokens that went through actor and critic, prompts included, as often as they did. */
    private double trainedTokens(Map<String, Double> update, List<Rollout> rollouts) {
        double passes = update.get("optimizer_steps") / config.ppo().minibatches();
        return passes * tokens(rollouts);
    }

    /** Tokens of all rollouts, prompts included. */
    private static long tokens(List<Rollout> rollouts) {
        return rollouts.stream().mapToLong(Rollout::tokens).sum();
    }

    private static double trainSeconds(Map<String, Double> update) {
        return update.get("seconds_train_actor") + update.get("seconds_train_critic");
    }
}
