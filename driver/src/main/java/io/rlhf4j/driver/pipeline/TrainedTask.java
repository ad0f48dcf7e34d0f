package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.workers.runtime.LocalFolder;
import io.rlhf4j.workers.runtime.RankContext;
import io.rlhf4j.workers.runtime.RankTask;
import io.rlhf4j.workers.runtime.StateId;
import io.rlhf4j.workers.runtime.WorkPhase;
import java.io.IOException;

/**
 * What a rank does with the models in training. They come from the slot where every rank holds them, else all ranks read them
 * from the newest checkpoint if it has just that state; a rank that failed keeps none.
 */
abstract class TrainedTask<T> implements RankTask<T> {
    static final String HOLDING = "ppo training";
    private static final long serialVersionUID = 1L;

    private final TaskSettings settings;
    private final long saved;
    private final StateId state;

    /**
     * A task.
     *
     * @param saved iterations behind the newest checkpoint; 0 for none
     * @param state that the task works with
     */
    TrainedTask(TaskSettings settings, long saved, StateId state) {
        this.settings = settings;
        this.saved = saved;
        this.state = state;
    }

    /** The work of one rank. */
    abstract T work(RunConfig config, TrainedModels models, RankContext context) throws IOException;

    /** Iterations behind the models when the work is done. */
    abstract StateId after();

    TaskSettings settings() {
        return settings;
    }

    StateId state() {
        return state;
    }

    @Override
    public final T run(RankContext context) throws Exception {
        RunConfig config = settings.config();
        TrainedModels models = models(config, context);
        try {
            models.join(context.collectives());
            T result = work(config, models, context);
            context.slot().give(HOLDING, after(), models);
            WorkPhase.IDLE.begins("rank " + context.rank());
            return result;
        } catch (Exception | Error failed) {
            models.close();
            throw failed;
        }
    }

    /** No rank can go on, and no checkpoint has just this state. */
    static Rlhf4jException gone(long iterations) {
        return new Rlhf4jException(
                ErrorKind.RETRYABLE, "the models after iteration %d are gone with an executor".formatted(iterations));
    }

    private TrainedModels models(RunConfig config, RankContext context) throws IOException {
        TrainedModels kept = context.slot()
                .take(HOLDING, context.complete() ? state : StateId.NOTHING, TrainedModels.class)
                .orElse(null);
        if (kept != null) {
            return kept;
        }
        if (state.version() != saved) {
            throw gone(state.version());
        }
        WorkPhase.LOAD.begins("rank %d, the models after iteration %d".formatted(context.rank(), saved));
        TrainedModels models = new TrainedModels(
                config,
                settings.models(),
                settings.hadoopConfiguration(),
                TaskSettings.scope(context.slot(), config, "training"),
                LocalFolder.ofOptimizer(config.cluster().offload(), context.slot()),
                context.collectives());
        try {
            if (saved > 0) {
                new PpoCheckpoints(config, settings.hadoopConfiguration(), settings.fence())
                        .restore(saved, models, context.collectives());
            }
        } catch (IOException | RuntimeException failed) {
            models.close();
            throw failed;
        }
        return models;
    }
}
