package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.format.ElementType;
import io.rlhf4j.hub.ModelDirectory;
import io.rlhf4j.hub.TrainedTokenizer;
import io.rlhf4j.workers.runtime.RankContext;
import io.rlhf4j.workers.runtime.StateId;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** Writes what the step came to as Hugging Face directories: the critic first, the actor last. */
final class ExportTask extends TrainedTask<Boolean> {
    static final String ACTOR = "actor";
    static final String CRITIC = "critic";
    static final String AVERAGE = "actor-ema";
    private static final long serialVersionUID = 1L;

    /** Exports the models of {@code state}. */
    ExportTask(TaskSettings settings, long saved, StateId state) {
        super(settings, saved, state);
    }

    @Override
    Boolean work(RunConfig config, TrainedModels models, RankContext context) throws IOException {
        Path exports = settings().folder(config).exports();
        settings().fence().pass(exports, settings().hadoopConfiguration());
        write(config, models, exports, settings().hadoopConfiguration());
        return true;
    }

    /** Writes the models, on the first rank, below {@code folder}. */
    static List<Path> write(RunConfig config, TrainedModels models, Path folder, Configuration hadoop)
            throws IOException {
        ModelDirectory directories = new ModelDirectory(hadoop);
        ElementType type = UpdateTask.stored(models);
        List<Path> written = new ArrayList<>();
        written.add(new Path(folder, CRITIC));
        models.criticEngine().onFirstRank(() -> directories.save(models.critic(), new Path(folder, CRITIC), type));
        if (config.ppo().ema() > 0) {
            Path average = new Path(folder, AVERAGE);
            written.add(average);
            models.actorEngine().withAveragedWeights(() -> {
                try {
                    models.actorEngine().onFirstRank(() -> directories.save(models.actor(), average, type));
                } catch (IOException failed) {
                    throw new UncheckedIOException("cannot write " + average, failed);
                }
            });
        }
        written.add(new Path(folder, ACTOR));
        models.actorEngine().onFirstRank(() -> {
            directories.save(models.actor(), new Path(folder, ACTOR), type);
            for (Path model : written) {
                TrainedTokenizer.addTo(model, config.models(), hadoop);
            }
        });
        return written;
    }

    @Override
    public String what() {
        return "the export after iteration " + state().version();
    }

    @Override
    StateId after() {
        return state();
    }
}
