package io.rlhf4j.workers.job;

import io.rlhf4j.data.Rollout;
import io.rlhf4j.workers.engine.EngineProgress;
import io.rlhf4j.workers.training.PpoUpdate;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/**
 * What an iteration of PPO came to on one rank.
 *
 * @param update the same on every rank, but for times and memory
 * @param actor progress of the actor's engine
 * @param critic progress of the critic's engine
 * @param rollouts that the rank scored; none where they came scored
 */
public record IterationResult(PpoUpdate update, EngineProgress actor, EngineProgress critic, List<Rollout> rollouts)
        implements Serializable {
    public IterationResult {
        // A collection of one plain class: everything that Spark moves is registered by class.
        rollouts = new ArrayList<>(rollouts);
    }
}
