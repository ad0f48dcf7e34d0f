package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.hub.ModelDirectory;
import io.rlhf4j.workers.runtime.RankContext;
import io.rlhf4j.workers.runtime.StateId;
import io.rlhf4j.workers.runtime.WorkPhase;
import java.io.IOException;

/** Publishes the weights of a checkpoint again, where those that were published with it are gone or damaged. */
final class PublishTask extends TrainedTask<Boolean> {
    private static final long serialVersionUID = 1L;

    /** Publishes the models of {@code state}, which the newest checkpoint has. */
    PublishTask(TaskSettings settings, long saved, StateId state) {
        super(settings, saved, state);
    }

    @Override
    Boolean work(RunConfig config, TrainedModels models, RankContext context) throws IOException {
        WorkPhase.PUBLISH.begins("rank %d, again: iteration %d".formatted(context.rank(), state().version()));
        publish(settings(), config, models, state().version());
        return true;
    }

    /** Publishes the models as a version of the weights: the first rank writes, the others help it to theirs. */
    static void publish(TaskSettings settings, RunConfig config, TrainedModels models, long version)
            throws IOException {
        PublishedWeights weights = new PublishedWeights(settings.folder(config), settings.hadoopConfiguration());
        ModelDirectory directories = new ModelDirectory(settings.hadoopConfiguration());
        models.actorEngine().onFirstRank(() -> {
            weights.begin(version);
            directories.save(
                    models.actor(), weights.directory(version, PublishedWeights.ACTOR), UpdateTask.stored(models));
        });
        models.criticEngine().onFirstRank(() -> {
            directories.save(
                    models.critic(), weights.directory(version, PublishedWeights.CRITIC), UpdateTask.stored(models));
            weights.commit(version);
        });
    }

    @Override
    public String what() {
        return "publishing the weights after iteration %d again".formatted(state().version());
    }

    @Override
    StateId after() {
        return state();
    }
}
