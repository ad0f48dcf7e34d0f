package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.Step;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.run.RunFolder;
import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.Backends;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.workers.checkpoint.Checkpoint;
import io.rlhf4j.workers.checkpoint.CheckpointStore;
import io.rlhf4j.workers.checkpoint.Retention;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.LocalGroup;
import io.rlhf4j.workers.job.SupervisedExport;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** The checkpoints of a run, for those who look after it: no Spark is needed. */
public final class RunCheckpoints {
    private final RunConfig config;
    private final RunFolder folder;
    private final Configuration hadoop;

    /** The checkpoints in {@code folder}, whose fence is asked before one is removed. */
    public RunCheckpoints(RunConfig config, RunFolder folder, Configuration hadoop) {
        this.config = config;
        this.folder = folder;
        this.hadoop = hadoop;
    }

    /**
     * A checkpoint.
     *
     * @param step of which step of the run
     * @param position optimizer steps or iterations behind it
     * @param checkpoint what its manifest tells; empty where it is damaged
     * @param damage what is wrong with it; empty where nothing is
     */
    public record Entry(Step step, long position, Optional<Checkpoint> checkpoint, String damage) {}

    /** Steps or iterations behind the newest checkpoint of a step, damaged or not; 0 where there is none. */
    long newest(Step step) {
        return store(step).steps().stream().findFirst().orElse(0L);
    }

    /** All checkpoints that were finished, by step, the newest first. */
    public List<Entry> list() {
        return entries(CheckpointStore::look);
    }

    /** The same, after a check of every byte. */
    public List<Entry> verify() {
        return entries(CheckpointStore::open);
    }

    /** How a checkpoint is looked at. */
    private interface Look {
        Checkpoint at(CheckpointStore store, long position);
    }

    private List<Entry> entries(Look look) {
        List<Entry> entries = new ArrayList<>();
        for (Step step : Step.values()) {
            CheckpointStore store = store(step);
            for (long position : store.steps()) {
                try {
                    entries.add(new Entry(step, position, Optional.of(look.at(store, position)), ""));
                } catch (Rlhf4jException damaged) {
                    entries.add(new Entry(step, position, Optional.empty(), damaged.getMessage()));
                }
            }
        }
        return entries;
    }

    /**
     * Removes the checkpoints of a step that {@code retention} does not keep, and the weights that only they needed.
     *
     * @return the positions that are gone, the newest first
     */
    public List<Long> prune(Step step, Retention retention) throws IOException {
        CheckpointStore store = store(step);
        List<Long> gone = store.prune(retention);
        if (step == Step.PPO && !gone.isEmpty()) {
            new PublishedWeights(folder, hadoop).keepOnly(new HashSet<>(store.steps()));
        }
        return gone;
    }

    /**
     * Writes the model of a checkpoint as a Hugging Face directory; of ppo {@code actor} and {@code critic} below it, and
     * {@code actor-ema} where the run averages.
     *
     * @param position optimizer steps or iterations behind it; empty for the newest
     * @return what was written
     * @throws Rlhf4jException of kind DATA where there is no such checkpoint, or it is damaged
     */
    public List<Path> export(Step step, Optional<Long> position, Path directory) throws IOException {
        CheckpointStore store = store(step);
        long found = position.or(() -> store.steps().stream().findFirst())
                .orElseThrow(
                        () -> Rlhf4jException.data("%s: there is no checkpoint".formatted(folder.checkpoints(step))));
        Backend backend = Backends.onClassPath()
                .choose(config.compute().backend(), config.cluster().threadsOrShare())
                .backend();
        if (step != Step.PPO) {
            SupervisedExport.write(config, step, store.open(found), directory, backend, hadoop);
            return List.of(directory);
        }
        Collectives alone = LocalGroup.single();
        try (TrainedModels models = new TrainedModels(
                config,
                PpoModels.of(config, hadoop),
                hadoop,
                Scope.root(backend, step.key()),
                Optional.empty(),
                alone)) {
            new PpoCheckpoints(config, hadoop, folder.fence()).restore(found, models, alone);
            return ExportTask.write(config, models, directory, hadoop);
        }
    }

    private CheckpointStore store(Step step) {
        return new CheckpointStore(
                folder.checkpoints(step), hadoop, Retention.of(config.checkpoints()), Map.of(), folder.fence());
    }
}
