package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.data.Rollout;
import io.rlhf4j.data.TrainingRow;
import io.rlhf4j.format.ElementType;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.workers.checkpoint.CheckpointFile;
import io.rlhf4j.workers.job.IterationResult;
import io.rlhf4j.workers.runtime.RankContext;
import io.rlhf4j.workers.runtime.StateId;
import io.rlhf4j.workers.runtime.WorkPhase;
import io.rlhf4j.workers.runtime.WorkerRuntime;
import io.rlhf4j.workers.training.PpoUpdate;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;

/**
 * One rank's part in the update of an iteration: rank 0 publishes the new weights, and where a checkpoint is due each rank
 * writes its part, which the driver commits.
 */
abstract class UpdateTask extends TrainedTask<IterationResult> {
    private static final long serialVersionUID = 1L;

    private final double beta;
    private final ArrayList<TrainingRow> texts;
    private final boolean save;

    /** The update of the iteration whose number {@code state} has, with a checkpoint behind it or not. */
    UpdateTask(TaskSettings settings, long saved, StateId state, double beta, List<TrainingRow> texts, boolean save) {
        super(settings, saved, state);
        this.beta = beta;
        this.texts = new ArrayList<>(texts);
        this.save = save;
    }

    /**
     * What a rank learns from.
     *
     * @param rollouts of the iteration, all of them, the same on every rank
     * @param told those that this rank has to tell the driver
     */
    record Experience(List<Rollout> rollouts, List<Rollout> told) {}

    /** Gets the rollouts. */
    abstract Experience experience(RunConfig config, TrainedModels models, RankContext context) throws IOException;

    double beta() {
        return beta;
    }

    @Override
    final IterationResult work(RunConfig config, TrainedModels models, RankContext context) throws IOException {
        // Nobody will ask for this version again, and its memory is needed now.
        WorkerRuntime.ofThisJvm().release(VersionedModels.HOLDING, context.slot());
        Experience experience = experience(config, models, context);
        String what = "rank %d, iteration %d".formatted(context.rank(), state().version());
        WorkPhase.UPDATE.begins(what);
        PpoUpdate update = models.trainer().update(state().version(), beta, experience.rollouts(), texts);
        LinkedHashMap<String, Double> metrics = new LinkedHashMap<>(update.metrics());
        long begin = System.nanoTime();
        WorkPhase.PUBLISH.begins(what);
        PublishTask.publish(settings(), config, models, after().version());
        long published = System.nanoTime();
        if (save) {
            WorkPhase.CHECKPOINT.begins(what);
        }
        List<CheckpointFile> files = save ? checkpoint(config, models, context) : List.of();
        metrics.put("seconds_publish", (published - begin) * 1e-9);
        metrics.put("seconds_checkpoint", (System.nanoTime() - published) * 1e-9);
        if (context.rank() == 0) {
            metrics.putAll(TaskSettings.memoryUse(context.slot(), config));
        }
        return new IterationResult(
                new PpoUpdate(metrics, update.nextBeta()),
                models.actorEngine().progress(),
                models.criticEngine().progress(),
                files,
                experience.told());
    }

    private List<CheckpointFile> checkpoint(RunConfig config, TrainedModels models, RankContext context) {
        return new PpoCheckpoints(
                        config, settings().hadoopConfiguration(), settings().fence())
                .write(after().version(), models, context.collectives());
    }

    /** The type that keeps every bit of the weights. */
    static ElementType stored(TrainedModels models) {
        return models.actor().type() == DType.BF16 ? ElementType.BF16 : ElementType.F32;
    }

    @Override
    public final String what() {
        return "the update of iteration " + state().version();
    }

    @Override
    final StateId after() {
        return state().later(1);
    }
}
