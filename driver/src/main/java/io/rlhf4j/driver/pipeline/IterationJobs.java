package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.data.PromptRow;
import io.rlhf4j.data.Rollout;
import io.rlhf4j.data.TrainingRow;
import io.rlhf4j.driver.pipeline.RolloutTable.Committed;
import io.rlhf4j.driver.spark.BarrierJob;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.run.RunFolder;
import io.rlhf4j.workers.job.IterationResult;
import io.rlhf4j.workers.rollout.SampledAnswer;
import io.rlhf4j.workers.runtime.StateId;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.SparkSession;

/**
 * The two jobs of an iteration: rollouts, then the update. Answers are scored in the first, by tasks that hold all models, or
 * at the beginning of the second, by the ranks together; either way the iteration's rows are committed once.
 */
final class IterationJobs {
    private final JavaSparkContext context;
    private final RunConfig config;
    private final TaskSettings settings;
    private final RolloutPhase phase;
    private final Progress progress;
    private final BarrierJob ranks;
    private final LongSupplier saved;
    private final Runnable goOn;

    /**
     * The jobs of one attempt.
     *
     * @param saved iterations behind the newest checkpoint; asked when an update begins, because a checkpoint may be written
     *     while rollouts are made
     * @param goOn throws where the run is to stop; asked between jobs
     */
    IterationJobs(
            SparkSession session,
            RunConfig config,
            TaskSettings settings,
            RunFolder folder,
            Progress progress,
            BarrierJob ranks,
            LongSupplier saved,
            Runnable goOn) {
        this.context = JavaSparkContext.fromSparkContext(session.sparkContext());
        this.config = config;
        this.settings = settings;
        this.phase = new RolloutPhase(session, config, settings, folder);
        this.progress = progress;
        this.ranks = ranks;
        this.saved = saved;
        this.goOn = goOn;
    }

    /**
     * What an iteration starts from.
     *
     * @param state of the models; its version is the iteration's number
     * @param beta weight of the KL penalty
     * @param texts for PPO-ptx
     * @param saving whether a checkpoint is to be written
     */
    record Start(
            StateId state, double beta, List<PromptRow> prompts, List<TrainingRow> texts, UpdateTask.Saving saving) {
        long iteration() {
            return state.version();
        }
    }

    /**
     * What an iteration came to.
     *
     * @param rolled its rows, which are committed
     * @param results of the ranks
     */
    record Outcome(Committed rolled, List<IterationResult> results) {}

    /** Runs both jobs. */
    Outcome run(Start start) throws IOException {
        Optional<Committed> found = phase.found(start);
        if (found.isPresent()) {
            progress.note("the rollouts of iteration %d are there already".formatted(start.iteration()));
            return updated(start, found.get());
        }
        return config.cluster().ranksScore() ? scoredByRanks(start) : updated(start, phase.scored(start));
    }

    private Outcome updated(Start start, Committed rolled) {
        ArrayList<Rollout> rollouts = new ArrayList<>(rolled.rollouts());
        goOn.run();
        requireSome(rollouts, start.iteration());
        Broadcast<ArrayList<Rollout>> shared = context.broadcast(rollouts);
        try {
            RolloutUpdateTask task = new RolloutUpdateTask(
                    settings, savedFor(start), start.state(), start.beta(), shared, start.texts(), start.saving());
            return new Outcome(rolled, update(start, task));
        } finally {
            shared.destroy();
        }
    }

    private Outcome scoredByRanks(Start start) throws IOException {
        long begin = System.nanoTime();
        RolloutClock clock = new RolloutClock(context.sc());
        ArrayList<SampledAnswer> answers = phase.sampled(start, clock);
        goOn.run();
        Broadcast<ArrayList<SampledAnswer>> shared = context.broadcast(answers);
        try {
            ScoringUpdateTask task = new ScoringUpdateTask(
                    settings,
                    savedFor(start),
                    start.state(),
                    start.beta(),
                    shared,
                    clock,
                    start.texts(),
                    start.saving());
            List<IterationResult> results = update(start, task);
            List<Rollout> rollouts = results.stream()
                    .flatMap(result -> result.rollouts().stream())
                    .toList();
            return new Outcome(phase.keep(start, rollouts, clock, begin), results);
        } finally {
            shared.destroy();
        }
    }

    /** Whoever has to read the models finds them in the newest checkpoint, or nowhere. */
    private long savedFor(Start start) {
        long newest = saved.getAsLong();
        if (newest != start.iteration() && !ranks.allThere()) {
            throw TrainedTask.gone(start.iteration());
        }
        return newest;
    }

    private List<IterationResult> update(Start start, UpdateTask task) {
        return ranks.run(TrainedTask.HOLDING, start.state(), IterationResult.class, task);
    }

    /** @throws Rlhf4jException of kind DATA where no answer has a score */
    static void requireSome(List<Rollout> rollouts, long iteration) {
        if (rollouts.isEmpty()) {
            throw Rlhf4jException.data(
                    "iteration %d has no rollout with a score; look at the rewards' `missing` settings"
                            .formatted(iteration));
        }
    }
}
