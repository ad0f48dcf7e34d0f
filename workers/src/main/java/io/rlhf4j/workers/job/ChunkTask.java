package io.rlhf4j.workers.job;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.Step;
import io.rlhf4j.data.TokenRow;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.run.Fence;
import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.workers.checkpoint.CheckpointStore;
import io.rlhf4j.workers.checkpoint.RankFiles;
import io.rlhf4j.workers.checkpoint.RankState;
import io.rlhf4j.workers.checkpoint.Retention;
import io.rlhf4j.workers.engine.EngineProgress;
import io.rlhf4j.workers.runtime.LocalFolder;
import io.rlhf4j.workers.runtime.MemoryUse;
import io.rlhf4j.workers.runtime.RankContext;
import io.rlhf4j.workers.runtime.RankTask;
import io.rlhf4j.workers.runtime.StateId;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.util.CollectionAccumulator;
import org.apache.spark.util.SerializableConfiguration;

/**
 * A chunk of optimizer steps of SFT or reward training on one rank: from the state that the last chunk left in this executor,
 * or else from the checkpoint that it left on disk; to a new checkpoint.
 *
 * @param yaml the run's configuration
 * @param step sft or reward
 * @param state that the chunk begins with
 * @param plannedSteps of the whole step
 * @param resume files of the checkpoint of that state; empty at the very beginning, and while it is being written
 * @param progress of the engine at that state
 * @param batches rows of each optimizer step, whole
 * @param heldOut rows to evaluate on
 * @param evaluateAt after how many steps of the whole step to do so
 * @param export where to write the Hugging Face directory; empty for a chunk that is not the last
 * @param reports where rank 0 tells the metrics of every step at once
 * @param hadoop settings of the file systems
 * @param fence asked before anything is written
 */
public record ChunkTask<R extends TokenRow>(
        String yaml,
        Step step,
        StateId state,
        long plannedSteps,
        ArrayList<String> resume,
        EngineProgress progress,
        ArrayList<ArrayList<R>> batches,
        ArrayList<R> heldOut,
        ArrayList<Long> evaluateAt,
        String export,
        CollectionAccumulator<LinkedHashMap<String, Double>> reports,
        SerializableConfiguration hadoop,
        Fence fence)
        implements RankTask<ChunkResult> {
    /** What the checkpoint's files of tensors are called. */
    public static final String TENSORS = "state";

    @Override
    public ChunkResult run(RankContext context) throws Exception {
        RunConfig config = ConfigFile.read(yaml, "the run's configuration", List.of());
        Configuration files = hadoop.value();
        SupervisedRank<R> rank = rank(config, context, files);
        rank.group().enter(context.collectives());
        Map<Long, Map<String, Double>> evaluations = new LinkedHashMap<>();
        List<Map<String, Double>> metrics = new ArrayList<>();
        evaluate(rank, state.version(), evaluations);
        for (List<R> batch : batches) {
            long begin = System.nanoTime();
            Map<String, Double> numbers = rank.trainer().step(batch);
            double seconds = (System.nanoTime() - begin) * 1e-9;
            numbers.put("seconds", seconds);
            numbers.put(
                    "tokens_per_second",
                    batch.stream().mapToLong(TokenRow::tokens).sum() / seconds);
            numbers.putAll(MemoryUse.of(context.slot(), family()));
            metrics.add(numbers);
            if (context.rank() == 0) {
                reports.add(new LinkedHashMap<>(numbers));
            }
            evaluate(rank, state.version() + metrics.size(), evaluations);
        }
        StateId next = state.later(batches.size());
        save(config, rank, next.version(), context, files);
        if (!export.isEmpty()) {
            fence.pass(new Path(export), files);
            rank.export(new Path(export));
        }
        context.collectives().barrier();
        if (export.isEmpty()) {
            context.slot().give(step.key(), next, rank);
        } else {
            rank.close();
        }
        return new ChunkResult(metrics, evaluations, rank.engine().progress());
    }

    @Override
    public String what() {
        return "%s steps %d to %d".formatted(step.key(), state.version() + 1, state.version() + batches.size());
    }

    private void evaluate(SupervisedRank<R> rank, long position, Map<Long, Map<String, Double>> evaluations) {
        if (evaluateAt.contains(position)) {
            evaluations.put(position, rank.trainer().evaluate(heldOut));
        }
    }

    @SuppressWarnings("unchecked")
    private SupervisedRank<R> rank(RunConfig config, RankContext context, Configuration files) throws IOException {
        SupervisedRank<R> kept = context.slot()
                .take(step.key(), context.complete() ? state : StateId.NOTHING, SupervisedRank.class)
                .orElse(null);
        if (kept != null) {
            kept.writer().check();
            return kept;
        }
        if (resume.isEmpty() && state.version() > 0) {
            throw new Rlhf4jException(
                    ErrorKind.RETRYABLE,
                    "the model after step %d is gone with an executor, and is in no checkpoint yet"
                            .formatted(state.version()));
        }
        Backend backend = context.slot()
                .backend(config.compute().backend(), config.cluster().threadsOrShare());
        Scope scope = context.slot().scope(family(), step.key(), backend);
        SupervisedRank<?> made = SupervisedRank.of(
                step,
                config,
                plannedSteps,
                scope,
                LocalFolder.ofOptimizer(config.cluster().offload(), context.slot()),
                files,
                context.collectives());
        if (!resume.isEmpty()) {
            made.restore(resume.stream().map(Path::new).toList(), progress);
        }
        return (SupervisedRank<R>) made;
    }

    private String family() {
        return state.run() + " " + step.key();
    }

    /** Writes the state; while training goes on where it does and is asked to. */
    private void save(
            RunConfig config, SupervisedRank<R> rank, long version, RankContext context, Configuration files) {
        CheckpointStore store = new CheckpointStore(
                new Path(config.path(), step.key() + "/checkpoints"),
                files,
                Retention.of(config.checkpoints()),
                Map.of(),
                fence);
        RankFiles names = new RankFiles(
                RankFiles.attempt(state.generation()),
                context.rank(),
                context.collectives().worldSize());
        RankState saved =
                new RankState(version, names, Map.of(TENSORS, rank.engine().state()));
        if (config.checkpoints().asynchronous() && export.isEmpty()) {
            rank.writer().start(store, saved, files);
        } else {
            rank.writer().write(store, saved, files);
        }
    }
}
