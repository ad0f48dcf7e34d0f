package io.rlhf4j.workers.rollout;

import io.rlhf4j.data.Rollout;
import java.util.List;

/**
 * Rollouts, and the time that went into them.
 *
 * @param rollouts in the order of their prompts
 * @param generateSeconds of sampling the answers
 * @param scoreSeconds of their rewards, and of the training forwards of actor, reference and critic
 */
public record TimedRollouts(List<Rollout> rollouts, double generateSeconds, double scoreSeconds) {
    public TimedRollouts {
        rollouts = List.copyOf(rollouts);
    }
}
