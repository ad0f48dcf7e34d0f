package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.workers.runtime.RankContext;
import io.rlhf4j.workers.runtime.StateId;
import java.io.IOException;

/** Saves the complete state, every rank its part. */
final class SaveTask extends TrainedTask<Boolean> {
    private static final long serialVersionUID = 1L;

    private final double beta;

    /** Saves {@code state}, and {@code beta} of the iteration that comes next. */
    SaveTask(TaskSettings settings, long begin, StateId state, double beta) {
        super(settings, begin, state);
        this.beta = beta;
    }

    @Override
    Boolean work(RunConfig config, TrainedModels models, RankContext context) throws IOException {
        new PpoCheckpoints(config, settings().hadoopConfiguration(), settings().fence())
                .save(state().version(), models, beta, context.collectives());
        return true;
    }

    @Override
    StateId after() {
        return state();
    }
}
