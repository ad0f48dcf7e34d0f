package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.format.ElementType;
import io.rlhf4j.hub.ModelDirectory;
import io.rlhf4j.run.RunFolder;
import io.rlhf4j.workers.runtime.RankContext;
import io.rlhf4j.workers.runtime.StateId;
import java.io.IOException;
import java.io.UncheckedIOException;

/** Writes what the step came to as Hugging Face directories: the critic first, the actor last. */
final class ExportTask extends TrainedTask<Boolean> {
    static final String ACTOR = "actor";
    static final String CRITIC = "critic";
    static final String AVERAGE = "actor-ema";
    private static final long serialVersionUID = 1L;

    /** Exports the models of {@code state}. */
    ExportTask(TaskSettings settings, long begin, StateId state) {
        super(settings, begin, state);
    }

    @Override
    Boolean work(RunConfig config, TrainedModels models, RankContext context) throws IOException {
        if (context.rank() != 0) {
            return false;
        }
        ModelDirectory directories = new ModelDirectory(settings().hadoopConfiguration());
        RunFolder folder = settings().folder(config);
        settings().fence().pass(folder.export(ACTOR), settings().hadoopConfiguration());
        ElementType type = UpdateTask.stored(models);
        directories.save(models.critic(), folder.export(CRITIC), type);
        if (config.ppo().ema() > 0) {
            models.actorEngine().withAveragedWeights(() -> {
                try {
                    directories.save(models.actor(), folder.export(AVERAGE), type);
                } catch (IOException failed) {
                    throw new UncheckedIOException("cannot write " + folder.export(AVERAGE), failed);
                }
            });
        }
        directories.save(models.actor(), folder.export(ACTOR), type);
        return true;
    }

    @Override
    StateId after() {
        return state();
    }
}
