package io.rlhf4j.driver.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.Step;
import io.rlhf4j.run.Fence;
import io.rlhf4j.run.RunFolder;
import io.rlhf4j.workers.checkpoint.Checkpoint;
import io.rlhf4j.workers.checkpoint.CheckpointStore;
import io.rlhf4j.workers.checkpoint.RankFiles;
import io.rlhf4j.workers.checkpoint.RankState;
import io.rlhf4j.workers.checkpoint.Retention;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.engine.EngineProgress;
import io.rlhf4j.workers.engine.TrainingEngine;
import io.rlhf4j.workers.job.IterationResult;
import io.rlhf4j.workers.runtime.StateId;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.apache.hadoop.conf.Configuration;

/** The complete state of step 3 on a file system: both engines, and the weight of the KL penalty. */
final class PpoCheckpoints {
    private static final String BETA = "beta";
    private static final String ACTOR = "actor";
    private static final String CRITIC = "critic";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Configuration hadoop;
    private final CheckpointStore store;

    PpoCheckpoints(RunConfig config, Configuration hadoop, Fence fence) {
        this.hadoop = hadoop;
        this.store = new CheckpointStore(
                RunFolder.of(config, hadoop).checkpoints(Step.PPO),
                hadoop,
                Retention.of(config.checkpoints()),
                Map.of("java", Runtime.version().toString()),
                fence);
    }

    /** The newest whole checkpoint, and what was passed over on the way to it. */
    CheckpointStore.Search latest() {
        return store.latest();
    }

    /** How many iterations there are checkpoints of. */
    List<Long> positions() {
        return store.steps();
    }

    /** Whether the state of that many iterations is there. */
    static double beta(Checkpoint checkpoint) {
        return checkpoint.state().path(BETA).doubleValue();
    }

    /** Clears the way for the state after {@code iterations}. */
    void begin(long iterations) {
        store.begin(iterations);
    }

    /**
     * Writes this rank's part of the state.
     *
     * @param state that the models are in
     * @param goOn whether to come back while it is being written
     */
    void write(StateId state, TrainedModels models, Collectives ranks, boolean goOn) {
        RankState saved = new RankState(
                state.version(),
                new RankFiles(RankFiles.attempt(state.generation()), ranks.rank(), ranks.worldSize()),
                Map.of(
                        ACTOR, models.actorEngine().state(),
                        CRITIC, models.criticEngine().state()));
        if (goOn) {
            models.writer().start(store, saved, hadoop);
        } else {
            models.writer().write(store, saved, hadoop);
        }
    }

    /** Those of an attempt whose ranks may still be writing. */
    PendingCheckpoints pending(String generation, BooleanSupplier writersThere) {
        return new PendingCheckpoints(store, generation, writersThere);
    }

    /** All of a state that is not a tensor. */
    static JsonNode numbers(IterationResult result) {
        ObjectNode state = JSON.createObjectNode();
        state.put(BETA, result.update().nextBeta());
        state.set(ACTOR, JSON.valueToTree(result.actor()));
        state.set(CRITIC, JSON.valueToTree(result.critic()));
        return state;
    }

    /** Puts the state after {@code iterations} into freshly made models, on all ranks: each checks a share of the files. */
    void restore(long iterations, TrainedModels models, Collectives ranks) throws IOException {
        Checkpoint checkpoint = store.open(iterations, ranks.rank(), ranks.worldSize());
        // A rank that found its share damaged does not come here, and the others do not go on.
        ranks.barrier();
        restore(checkpoint, ACTOR, models.actorEngine());
        restore(checkpoint, CRITIC, models.criticEngine());
    }

    private void restore(Checkpoint checkpoint, String model, TrainingEngine engine) throws IOException {
        EngineProgress progress = JSON.treeToValue(checkpoint.state().path(model), EngineProgress.class);
        engine.restore(progress, checkpoint.tensorFiles(model), hadoop);
    }
}
