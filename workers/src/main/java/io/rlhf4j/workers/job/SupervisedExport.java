package io.rlhf4j.workers.job;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.Step;
import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.workers.checkpoint.Checkpoint;
import io.rlhf4j.workers.collective.LocalGroup;
import io.rlhf4j.workers.engine.EngineProgress;
import java.io.IOException;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** A checkpoint of SFT or reward training as a Hugging Face directory. */
public final class SupervisedExport {
    private SupervisedExport() {}

    /** Writes the model of {@code checkpoint} to {@code directory}. */
    public static void write(
            RunConfig config, Step step, Checkpoint checkpoint, Path directory, Backend backend, Configuration hadoop)
            throws IOException {
        try (SupervisedRank<?> rank = SupervisedRank.of(
                step, config, 1, Scope.root(backend, step.key()), Optional.empty(), hadoop, LocalGroup.single())) {
            // The counters belong to the optimizer, which ends here.
            rank.restore(checkpoint.tensorFiles(ChunkTask.TENSORS), EngineProgress.START);
            rank.export(directory);
        }
    }
}
