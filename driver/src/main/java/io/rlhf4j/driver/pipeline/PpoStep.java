package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.PpoConfig;
import io.rlhf4j.config.PtxConfig;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.Step;
import io.rlhf4j.data.PromptRow;
import io.rlhf4j.data.TrainingRow;
import io.rlhf4j.driver.data.PreparedData;
import io.rlhf4j.driver.data.PromptsAhead;
import io.rlhf4j.driver.data.RowOrder;
import io.rlhf4j.driver.pipeline.UpdateTask.Saving;
import io.rlhf4j.driver.spark.BarrierJob;
import io.rlhf4j.driver.spark.Stragglers;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.run.MetricsLog;
import io.rlhf4j.run.RunFolder;
import io.rlhf4j.workers.checkpoint.Checkpoint;
import io.rlhf4j.workers.checkpoint.CheckpointStore;
import io.rlhf4j.workers.job.IterationResult;
import io.rlhf4j.workers.runtime.StateId;
import io.rlhf4j.workers.training.PpoUpdate;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.SerializableConfiguration;

/**
 * Step 3 as Spark jobs: for each iteration a rollout job with the published weights, then an update job of all ranks, which
 * publishes the next version. A start goes on from the last checkpoint and repeats the iterations behind it bit for bit.
 */
final class PpoStep {
    private static final String TRAIN = "train";
    private static final String PHASE = Step.PPO.key();

    private final SparkSession session;
    private final JavaSparkContext context;
    private final RunConfig config;
    private final Progress progress;
    private final PreparedData data;
    private final Configuration hadoop;
    private final RunFolder folder;
    private final PublishedWeights weights;
    private final BarrierJob ranks;
    private final Stragglers stragglers;
    private final Runnable goOn;

    /**
     * The step on a session.
     *
     * @param stragglers hears how long ranks are at work
     * @param goOn throws where the run is to stop; asked between jobs
     */
    PpoStep(
            SparkSession session,
            RunConfig config,
            RunFolder folder,
            Progress progress,
            PreparedData data,
            BarrierJob ranks,
            Stragglers stragglers,
            Runnable goOn) {
        this.session = session;
        this.context = JavaSparkContext.fromSparkContext(session.sparkContext());
        this.config = config;
        this.progress = progress;
        this.data = data;
        this.stragglers = stragglers;
        this.goOn = goOn;
        this.hadoop = session.sparkContext().hadoopConfiguration();
        this.folder = folder;
        this.weights = new PublishedWeights(folder, hadoop);
        this.ranks = ranks;
    }

    /** Runs the step from the newest checkpoint to its end. */
    StepResult run() throws IOException {
        PpoModels models = PpoModels.of(config, hadoop);
        RewardTemplates.differences(config, models, hadoop).forEach(progress::note);
        try (MetricsLog metrics = folder.openMetrics();
                Attempt attempt = new Attempt(models, metrics)) {
            return attempt.run();
        }
    }

    /** One try, from the newest checkpoint to the end. */
    private final class Attempt implements AutoCloseable {
        private final TaskSettings settings;
        private final MetricsLog metrics;
        private final IterationJobs jobs;
        private final PpoEvaluation evaluation;
        private final PpoCheckpoints checkpoints;
        private final PendingCheckpoints pending;
        private final PromptsAhead ahead;
        private final long begin;
        private double beta;

        Attempt(PpoModels models, MetricsLog metrics) throws IOException {
            this.metrics = metrics;
            this.settings = new TaskSettings(
                    ConfigFile.write(config),
                    new SerializableConfiguration(hadoop),
                    models,
                    folder.fence(),
                    UUID.randomUUID().toString());
            this.jobs = new IterationJobs(session, config, settings, folder, progress, ranks, this::saved, goOn);
            this.evaluation = new PpoEvaluation(context, config, data, settings, ranks, progress, metrics);
            this.checkpoints = new PpoCheckpoints(config, hadoop, folder.fence());
            CheckpointStore.Search search = checkpoints.latest();
            search.passedOver().forEach(progress::note);
            begin = search.checkpoint().map(found -> found.step()).orElse(0L);
            beta = search.checkpoint()
                    .map(PpoCheckpoints::beta)
                    .orElse(config.ppo().kl().beta());
            if (begin > 0) {
                progress.note("ppo goes on after iteration " + begin);
                metrics.cutAfter(Step.PPO, begin);
            }
            pending = checkpoints.pending(settings.attempt(), ranks::allThere);
            ahead = data.promptsAhead(config.ppo().prompts(), config.seed());
        }

        StepResult run() throws IOException {
            int iterations = config.ppo().iterations();
            requireWeights();
            Map<String, Double> before = evaluation.of(state(0), saved());
            progress.begin(PHASE, begin, iterations);
            for (long iteration = begin; iteration < iterations; iteration++) {
                iterate(iteration);
                evaluateBetween(iteration + 1);
            }
            pending.finish();
            progress.end(PHASE);
            Map<String, Double> after = evaluation.of(state(Math.max(begin, iterations)), saved());
            return new StepResult(Step.PPO, Math.max(begin, iterations), before, after, exports());
        }

        /** Rollouts need the weights that the checkpoint was published with. */
        private void requireWeights() throws IOException {
            if (!weights.whole(begin)) {
                progress.note("%s is damaged or missing: published again from the checkpoint after iteration %d"
                        .formatted(folder.weights(begin), begin));
                ranks.run(
                        TrainedTask.HOLDING,
                        state(begin),
                        Boolean.class,
                        new PublishTask(settings, saved(), state(begin)));
            }
        }

        private void iterate(long iteration) throws IOException {
            goOn.run();
            long start = System.nanoTime();
            List<PromptRow> prompts = ahead.of(iteration);
            long done = iteration + 1;
            boolean save = done % config.checkpoints().everyIterations() == 0
                    || done == config.ppo().iterations();
            Saving saving = save ? saving(done) : Saving.NOTHING;
            if (save) {
                checkpoints.begin(done);
            }
            IterationJobs.Outcome outcome =
                    jobs.run(new IterationJobs.Start(state(iteration), beta, prompts, texts(iteration), saving));
            List<IterationResult> results = outcome.results();
            PpoUpdate update = results.get(0).update();
            Map<String, Double> ranksAtWork = stragglers.look(
                    "the update of iteration " + iteration,
                    results.stream().mapToDouble(PpoStep::busySeconds).toArray());
            beta = update.nextBeta();
            Map<String, Double> numbers =
                    new IterationMetrics(config).of(update.metrics(), prompts.size(), outcome.rolled(), seconds(start));
            numbers.putAll(ranksAtWork);
            metrics.append(Step.PPO, TRAIN, done, numbers);
            if (save) {
                // First the metrics: no committed iteration lacks them.
                metrics.flush();
                pending.add(done, results.size(), PpoCheckpoints.numbers(results.get(0)));
            }
            keepNeededWeights(done);
            progress.advance(PHASE, done, numbers);
        }

        /** The last one is waited for: there is nothing left to go on with. */
        private Saving saving(long done) {
            boolean goOn =
                    config.checkpoints().asynchronous() && done < config.ppo().iterations();
            return goOn ? Saving.GOING_ON : Saving.WAITING;
        }

        /** Iterations behind the newest checkpoint. */
        private long saved() {
            return pending.committed().map(Checkpoint::step).orElse(begin);
        }

        /** Rollouts need the newest weights, and a checkpoint those of its iteration. */
        private void keepNeededWeights(long done) throws IOException {
            Set<Long> needed = new TreeSet<>(pending.steps());
            needed.addAll(checkpoints.positions());
            needed.add(done);
            weights.keepOnly(needed);
        }

        private void evaluateBetween(long done) throws IOException {
            int every = config.evaluation().everyIterations();
            if (every > 0 && done % every == 0 && done < config.ppo().iterations()) {
                evaluation.of(state(done), saved());
            }
        }

        private Map<String, String> exports() {
            Map<String, String> exports = new LinkedHashMap<>();
            exports.put(ExportTask.ACTOR, folder.export(ExportTask.ACTOR).toString());
            exports.put(ExportTask.CRITIC, folder.export(ExportTask.CRITIC).toString());
            if (config.ppo().ema() > 0) {
                exports.put(
                        ExportTask.AVERAGE, folder.export(ExportTask.AVERAGE).toString());
            }
            long done = Math.max(begin, config.ppo().iterations());
            boolean there = begin == done
                    && exports.values().stream().allMatch(each -> PpoModels.hasFile(each, "config.json", hadoop));
            if (!there) {
                progress.begin("export", 0, 1);
                ranks.run(
                        TrainedTask.HOLDING,
                        state(done),
                        Boolean.class,
                        new ExportTask(settings, saved(), state(done)));
                progress.end("export");
            }
            return exports;
        }

        @Override
        public void close() {
            pending.close();
        }

        private StateId state(long iterations) {
            return new StateId(config.path(), settings.attempt(), iterations);
        }

        private static double seconds(long start) {
            return (System.nanoTime() - start) * 1e-9;
        }
    }

    /** What a rank has spent on the update without waiting for others. */
    private static double busySeconds(IterationResult result) {
        Map<String, Double> seconds = result.update().metrics();
        return seconds.get("seconds_train_actor")
                + seconds.get("seconds_train_critic")
                - seconds.get("seconds_communicate");
    }

    /** Texts of PPO-ptx: a batch for each optimizer step of the iteration. */
    private List<TrainingRow> texts(long iteration) {
        PpoConfig ppo = config.ppo();
        PtxConfig ptx = ppo.ptx();
        if (ptx.coefficient() == 0) {
            return List.of();
        }
        int count = Math.multiplyExact(ppo.epochs() * ppo.minibatches(), ptx.batchSize());
        RowOrder order = data.unlabelled(config.seed());
        if (order.rows() == 0) {
            throw Rlhf4jException.data(
                    "ppo.ptx.coefficient is %s, but no source gave text for the ppo step".formatted(ptx.coefficient()));
        }
        return data.trainingRows(order.take(iteration * count, count));
    }
}
