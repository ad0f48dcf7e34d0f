package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.ClusterConfig;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.Step;
import io.rlhf4j.driver.data.DataPreparation;
import io.rlhf4j.driver.data.DataReport;
import io.rlhf4j.driver.data.PreparedData;
import io.rlhf4j.driver.data.RowOrder;
import io.rlhf4j.driver.identity.RunRecord;
import io.rlhf4j.driver.plan.ScoringChoice;
import io.rlhf4j.driver.spark.BarrierJob;
import io.rlhf4j.driver.spark.RankMachines;
import io.rlhf4j.driver.spark.RankPlaces;
import io.rlhf4j.driver.spark.Retry;
import io.rlhf4j.driver.spark.Stragglers;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.run.Fence;
import io.rlhf4j.run.Machine;
import io.rlhf4j.run.RunFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;

/**
 * A run: its steps, one after the other, on a Spark session. A step that an earlier start of the run has finished is not
 * repeated; one that was interrupted goes on from its last checkpoint, to the same result.
 */
public final class Pipeline {
    private final SparkSession session;
    private final RunConfig config;
    private final Progress progress;
    private final Configuration hadoop;
    private final RunFolder folder;
    private final StepResults results;
    private final RunCheckpoints checkpoints;
    private final RankPlaces places = new RankPlaces();
    private final Stragglers stragglers;
    private PreparedData prepared;
    private boolean begun;
    private List<Step> ahead = List.of();
    private volatile boolean interrupted;

    /** The run that {@code config} names, which nobody else writes meanwhile. */
    public Pipeline(SparkSession session, RunConfig config, Progress progress) {
        this(session, config, progress, Fence.open());
    }

    /**
     * The run that {@code config} names.
     *
     * @param fence asked before anything is written that others build on
     */
    public Pipeline(SparkSession session, RunConfig config, Progress progress, Fence fence) {
        this.session = session;
        this.config = RankMachines.settle(config, session.sparkContext());
        this.progress = progress;
        this.stragglers = new Stragglers(places, progress::note);
        this.hadoop = session.sparkContext().hadoopConfiguration();
        this.folder = RunFolder.of(config, hadoop, fence);
        this.results = new StepResults(folder);
        this.checkpoints = new RunCheckpoints(this.config, folder, hadoop);
    }

    /**
     * Reads, splits and tokenizes the sources, and writes them to the run's folder.
     *
     * @throws Rlhf4jException of kind DATA where a step has no rows or too many are unusable, of kind CONFIGURATION where
     *     what lies in the run's folder does not fit what it is now told
     */
    public DataReport prepareData() {
        begin();
        return data().report();
    }

    /** Step 1: supervised fine-tuning of the actor. */
    public StepResult runSft() {
        return once(Step.SFT, () -> {
            RowOrder order = data().training(Step.SFT, config.seed());
            int batchSize = config.sft().batchSize();
            long steps =
                    steps(order, config.sft().epochs(), batchSize, config.sft().maxSteps());
            return new SupervisedStep<>(
                            context(),
                            config,
                            folder,
                            Step.SFT,
                            barrierJob(),
                            progress,
                            stragglers,
                            ids -> data().trainingRows(ids),
                            () -> requireNotInterrupted(Step.SFT))
                    .run(order, batchSize, steps, data().trainingRows(heldOut(Step.SFT)));
        });
    }

    /** Step 2: the reward model. */
    public StepResult runReward() {
        return once(Step.REWARD, () -> {
            RowOrder order = data().training(Step.REWARD, config.seed());
            int batchSize = config.reward().batchSize();
            long steps = steps(
                    order, config.reward().epochs(), batchSize, config.reward().maxSteps());
            return new SupervisedStep<>(
                            context(),
                            config,
                            folder,
                            Step.REWARD,
                            barrierJob(),
                            progress,
                            stragglers,
                            ids -> data().preferenceRows(ids),
                            () -> requireNotInterrupted(Step.REWARD))
                    .run(order, batchSize, steps, data().preferenceRows(heldOut(Step.REWARD)));
        });
    }

    /** Step 3: proximal policy optimisation. */
    public StepResult runPpo() {
        return once(Step.PPO, () -> new PpoStep(
                        session,
                        ScoringChoice.settle(config, hadoop),
                        folder,
                        progress,
                        data(),
                        barrierJob(),
                        stragglers,
                        () -> requireNotInterrupted(Step.PPO))
                .run());
    }

    /**
     * The steps that the configuration lists, in its order.
     *
     * @throws Rlhf4jException of kind DATA, before the first of them begins, where any of them has no rows
     */
    public List<StepResult> runAll() {
        ahead = config.steps();
        List<StepResult> all = new ArrayList<>();
        for (Step step : config.steps()) {
            all.add(
                    switch (step) {
                        case SFT -> runSft();
                        case REWARD -> runReward();
                        case PPO -> runPpo();
                    });
        }
        return all;
    }

    /**
     * Ends what runs now, from another thread: the call in progress throws an {@link Rlhf4jException} of kind INTERRUPTED. What
     * is committed stays.
     */
    public void interrupt() {
        interrupted = true;
        session.sparkContext().cancelAllJobs();
    }

    /** Does a step, unless the run has its result already; again from the last checkpoint where that may help. */
    private StepResult once(Step step, Retry.Attempt<StepResult> attempt) {
        begin();
        Optional<StepResult> before = results.of(step);
        if (before.isPresent()) {
            progress.note("%s is done already".formatted(step.key()));
            return before.get();
        }
        StepResult result = new Retry(
                        config.cluster().attempts(), config.cluster().backoff(), progress::note)
                .run(step.key(), () -> checkpoints.newest(step), () -> {
                    requireNotInterrupted(step);
                    try {
                        requireRowsAhead();
                        return attempt.run();
                    } catch (Exception failed) {
                        requireNotInterrupted(step);
                        throw failed;
                    }
                });
        results.keep(result);
        return result;
    }

    /** What would stop a later step is told before an earlier one has cost hours. */
    private void requireRowsAhead() {
        for (Step step : ahead) {
            if (results.of(step).isEmpty()) {
                data().training(step, config.seed());
            }
        }
        ahead = List.of();
    }

    /**
     * Begins the run or goes on with it, unless what it has come to does not fit what it is now told; then its folder stays
     * as it was. Done before the first step where nobody asked for it.
     *
     * @throws Rlhf4jException of kind CONFIGURATION where the run cannot go on as it is told
     */
    public void begin() {
        if (begun) {
            return;
        }
        try {
            Machine machine = RankMachines.of(config, session.sparkContext(), barrierJob(), progress::note);
            RunRecord record = new RunRecord(config, machine, folder, hadoop);
            record.requireFitting();
            new DataPreparation(session, config, folder).requireFitting();
            record.start(progress::note);
        } catch (IOException unreadable) {
            throw new UncheckedIOException("cannot tell what run " + folder + " is", unreadable);
        }
        begun = true;
    }

    private void requireNotInterrupted(Step step) {
        if (interrupted) {
            throw new Rlhf4jException(
                    ErrorKind.INTERRUPTED, step.key() + " was interrupted; the same command goes on with it");
        }
    }

    private PreparedData data() {
        if (prepared == null) {
            progress.begin("data", 0, 1);
            prepared = new DataPreparation(session, config, folder).prepare();
            progress.end("data");
        }
        return prepared;
    }

    private long[] heldOut(Step step) {
        return data().heldOut(step, config.evaluation().rows(), config.seed());
    }

    private JavaSparkContext context() {
        return JavaSparkContext.fromSparkContext(session.sparkContext());
    }

    private BarrierJob barrierJob() {
        ClusterConfig cluster = config.cluster();
        BarrierJob job = cluster.elastic()
                ? BarrierJob.elastic(
                        context(),
                        cluster.ranks(),
                        cluster.slotTimeout(),
                        cluster.collectiveTimeout(),
                        places,
                        progress::note)
                : new BarrierJob(
                        context(), cluster.ranks(), cluster.slotTimeout(), cluster.collectiveTimeout(), places);
        return job.over(cluster.collectives());
    }

    private static long steps(RowOrder order, double epochs, int batchSize, int limit) {
        long steps = Math.max(1, order.rows(epochs) / batchSize);
        return limit > 0 ? Math.min(limit, steps) : steps;
    }
}
