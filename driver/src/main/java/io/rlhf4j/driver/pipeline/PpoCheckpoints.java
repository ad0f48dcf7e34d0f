package io.rlhf4j.driver.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.Step;
import io.rlhf4j.format.SafetensorsWriter;
import io.rlhf4j.format.TensorFiles;
import io.rlhf4j.format.TensorReader;
import io.rlhf4j.run.Fence;
import io.rlhf4j.run.RunFolder;
import io.rlhf4j.workers.checkpoint.Checkpoint;
import io.rlhf4j.workers.checkpoint.CheckpointFile;
import io.rlhf4j.workers.checkpoint.CheckpointStore;
import io.rlhf4j.workers.checkpoint.Retention;
import io.rlhf4j.workers.engine.EngineProgress;
import io.rlhf4j.workers.engine.TrainingEngine;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** The complete state of step 3 on a file system: both engines, and the weight of the KL penalty. */
final class PpoCheckpoints {
    private static final String BETA = "beta";

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

    /** Writes and commits the state after {@code iterations}. */
    void save(long iterations, TrainedModels models, double beta) throws IOException {
        store.begin(iterations);
        List<CheckpointFile> files = new ArrayList<>();
        files.add(write(iterations, "actor", models.actorEngine()));
        files.add(write(iterations, "critic", models.criticEngine()));
        ObjectNode state = JsonNodeFactory.instance.objectNode();
        state.put(BETA, beta);
        put(state.putObject("actor"), models.actorEngine().progress());
        put(state.putObject("critic"), models.criticEngine().progress());
        store.commit(iterations, files, state);
    }

    /** Puts the state after {@code iterations} into freshly made models. */
    void restore(long iterations, TrainedModels models) throws IOException {
        Checkpoint checkpoint = store.open(iterations);
        restore(checkpoint, "actor", models.actorEngine());
        restore(checkpoint, "critic", models.criticEngine());
    }

    private void restore(Checkpoint checkpoint, String model, TrainingEngine engine) throws IOException {
        JsonNode counters = checkpoint.state().path(model);
        EngineProgress progress = new EngineProgress(
                counters.path("position").longValue(),
                counters.path("updates").longValue(),
                counters.path("skipped").longValue());
        try (TensorReader tensors = new TensorFiles(hadoop).open(checkpoint.path(file(model)))) {
            engine.restore(progress, List.of(tensors));
        }
    }

    private CheckpointFile write(long iterations, String model, TrainingEngine engine) throws IOException {
        java.nio.file.Path local = Files.createTempFile("rlhf4j-" + model, ".safetensors");
        try {
            new SafetensorsWriter(hadoop).write(new Path(local.toUri()), engine.state(), Map.of());
            return store.write(iterations, file(model), out -> Files.copy(local, out));
        } finally {
            Files.delete(local);
        }
    }

    private static void put(ObjectNode node, EngineProgress progress) {
        node.put("position", progress.position());
        node.put("updates", progress.updates());
        node.put("skipped", progress.skipped());
    }

    private static String file(String model) {
        return model + ".safetensors";
    }
}
