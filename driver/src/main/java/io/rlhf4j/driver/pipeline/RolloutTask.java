package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.data.PromptRow;
import io.rlhf4j.model.ModelPasses;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.workers.rollout.AnswerScoring;
import io.rlhf4j.workers.rollout.RolloutWorker;
import io.rlhf4j.workers.rollout.TimedRollouts;
import java.util.List;
import org.apache.spark.sql.Row;

/** Makes the rollouts of some prompts, as rows of the rollout table: samples and scores answers. */
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
    List<Row> work(RunConfig config, List<PromptRow> prompts, SlotModels models) {
        VersionedModels published = models.published();
        try (Scope work = published.scope().child("rollouts")) {
            AnswerScoring scoring = new AnswerScoring(
                    ModelPasses.here(published.actor()),
                    models.frozen().reference(),
                    ModelPasses.here(published.critic()),
                    models.frozen().rewards(),
                    models.texts().tokenizer(),
                    config.ppo(),
                    config.compute().microBatchTokens(),
                    work);
            TimedRollouts timed = new RolloutWorker(GenerationTask.sampler(config, models, work), scoring, config.ppo())
                    .run(iteration, prompts, iteration, beta);
            clock.add(timed.generateSeconds(), timed.scoreSeconds(), published.takeSwitchSeconds());
            return timed.rollouts().stream().map(RolloutSchema::row).toList();
        }
    }
}
