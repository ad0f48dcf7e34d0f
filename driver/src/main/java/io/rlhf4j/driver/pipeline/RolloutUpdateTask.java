package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.data.Rollout;
import io.rlhf4j.data.TrainingRow;
import io.rlhf4j.workers.runtime.RankContext;
import io.rlhf4j.workers.runtime.StateId;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.broadcast.Broadcast;

/** An update from rollouts that were scored where they were sampled. */
final class RolloutUpdateTask extends UpdateTask {
    private static final long serialVersionUID = 1L;

    private final Broadcast<ArrayList<Rollout>> rollouts;

    /** The update of the iteration whose number {@code state} has. */
    RolloutUpdateTask(
            TaskSettings settings,
            long saved,
            StateId state,
            double beta,
            Broadcast<ArrayList<Rollout>> rollouts,
            List<TrainingRow> texts,
            Saving saving) {
        super(settings, saved, state, beta, texts, saving);
        this.rollouts = rollouts;
    }

    @Override
    Experience experience(RunConfig config, TrainedModels models, RankContext context) {
        return new Experience(rollouts.value(), List.of());
    }
}
