package io.rlhf4j.driver.pipeline;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.format.ElementType;
import io.rlhf4j.hub.ModelShare;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.runtime.RankContext;
import io.rlhf4j.workers.runtime.StateId;
import io.rlhf4j.workers.runtime.WorkPhase;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Publishes the weights of a checkpoint again, where those that were published with it are gone or damaged. */
final class PublishTask extends TrainedTask<Boolean> {
    private static final long serialVersionUID = 1L;
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final TypeReference<Map<String, String>> HASHES = new TypeReference<>() {};

    /** Publishes the models of {@code state}, which the newest checkpoint has. */
    PublishTask(TaskSettings settings, long saved, StateId state) {
        super(settings, saved, state);
    }

    @Override
    Boolean work(RunConfig config, TrainedModels models, RankContext context) throws IOException {
        WorkPhase.PUBLISH.begins("rank %d, again: iteration %d".formatted(context.rank(), state().version()));
        publish(settings(), config, models, context.collectives(), state().version());
        return true;
    }

    /**
     * Publishes the models as a version of the weights. Each rank writes its share of them; the first one clears the way
     * before, and when all are done makes the version whole.
     */
    static void publish(TaskSettings settings, RunConfig config, TrainedModels models, Collectives ranks, long version)
            throws IOException {
        PublishedWeights weights = new PublishedWeights(settings.folder(config), settings.hadoopConfiguration());
        boolean first = ranks.rank() == 0;
        if (first) {
            weights.begin(version);
        }
        ranks.barrier();
        ModelShare share = new ModelShare(ranks.rank(), ranks.worldSize());
        ElementType type = UpdateTask.stored(models);
        TreeMap<String, String> written = new TreeMap<>();
        models.actorEngine()
                .onAllRanks(() ->
                        written.putAll(weights.write(version, PublishedWeights.ACTOR, models.actor(), type, share)));
        models.criticEngine()
                .onAllRanks(() ->
                        written.putAll(weights.write(version, PublishedWeights.CRITIC, models.critic(), type, share)));
        List<byte[]> all = ranks.allGather(JSON.writeValueAsBytes(written));
        if (first) {
            TreeMap<String, String> files = new TreeMap<>();
            for (byte[] ofRank : all) {
                files.putAll(JSON.readValue(ofRank, HASHES));
            }
            weights.commit(version, files);
        }
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
