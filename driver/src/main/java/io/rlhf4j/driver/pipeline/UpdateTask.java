package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.data.Rollout;
import io.rlhf4j.data.TrainingRow;
import io.rlhf4j.format.ElementType;
import io.rlhf4j.tensor.DType;
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
 * One rank's part in the update of an iteration: each rank publishes its share of the new weights, and where a checkpoint is
 * due writes its part, which the driver commits.
 */
abstract class UpdateTask extends TrainedTask<IterationResult> {
    private static final long serialVersionUID = 1L;

    private final double beta;
    private final ArrayList<TrainingRow> texts;
    private final Saving saving;

    /** Whether a checkpoint is due, and whether its end is waited for. */
    enum Saving {
        NOTHING,
        GOING_ON,
        WAITING
    }

    /**
     * The update of the iteration whose number {@code state} has.
     *
     * @param saving whether there is a checkpoint behind it
     */
    UpdateTask(TaskSettings settings, long saved, StateId state, double beta, List<TrainingRow> texts, Saving saving) {
        super(settings, saved, state);
        this.beta = beta;
        this.texts = new ArrayList<>(texts);
        this.saving = saving;
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
        models.writer().check();
        Experience experience = experience(config, models, context);
        // Until all have it, Spark may fetch it from any of them, and waits for one that hangs by no deadline of the
        // run.
        context.collectives().barrier();
        String what = "rank %d, iteration %d".formatted(context.rank(), state().version());
        WorkPhase.UPDATE.begins(what);
        PpoUpdate update = models.trainer().update(state().version(), beta, experience.rollouts(), texts);
        LinkedHashMap<String, Double> metrics = new LinkedHashMap<>(update.metrics());
        long begin = System.nanoTime();
        WorkPhase.PUBLISH.begins(what);
        PublishTask.publish(settings(), config, models, context.collectives(), after().version());
        long published = System.nanoTime();
        if (saving != Saving.NOTHING) {
            WorkPhase.CHECKPOINT.begins(what);
        }
        save(config, models, context);
        metrics.put("seconds_publish", (published - begin) * 1e-9);
        metrics.put("seconds_checkpoint", (System.nanoTime() - published) * 1e-9);
        if (context.rank() == 0) {
            metrics.putAll(TaskSettings.memoryUse(context.slot(), config));
        }
        return new IterationResult(
                new PpoUpdate(metrics, update.nextBeta()),
                models.actorEngine().progress(),
                models.criticEngine().progress(),
                experience.told());
    }

    private void save(RunConfig config, TrainedModels models, RankContext context) {
        if (saving != Saving.NOTHING) {
            new PpoCheckpoints(
                            config, settings().hadoopConfiguration(), settings().fence())
                    .write(after(), models, context.collectives(), saving == Saving.GOING_ON);
        }
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
