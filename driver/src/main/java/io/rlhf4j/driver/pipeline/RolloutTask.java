package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.data.PromptRow;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.workers.rollout.RolloutWorker;
import io.rlhf4j.workers.rollout.TimedRollouts;
import java.util.List;
import org.apache.spark.sql.Row;

/** Makes the rollouts of some prompts, as rows of the rollout table. */
final class RolloutTask extends ModelTask<Row> {
    private static final long serialVersionUID = 1L;

    private final long iteration;
    private final double beta;
    private final RolloutClock clock;

    /** Rollouts of an iteration, with the weights of the same number. */
    RolloutTask(TaskSettings settings, long iteration, double beta, RolloutClock clock) {
        super(settings, iteration);
        this.iteration = iteration;
        this.beta = beta;
        this.clock = clock;
    }

    @Override
    List<Row> work(RunConfig config, List<PromptRow> prompts, VersionedModels trained, FrozenModels frozen) {
        try (Scope work = trained.scope().child("rollouts")) {
            TimedRollouts timed = new RolloutWorker(
                            trained.generator(),
                            trained.actor(),
                            frozen.reference(),
                            trained.critic(),
                            frozen.rewards(),
                            frozen.tokenizer(),
                            frozen.endTokens(),
                            config.ppo(),
                            config.seed(),
                            config.compute().microBatchTokens(),
                            work)
                    .run(iteration, prompts, iteration, beta);
            clock.add(timed, trained.takeSwitchSeconds());
            return timed.rollouts().stream().map(RolloutSchema::row).toList();
        }
    }
}
