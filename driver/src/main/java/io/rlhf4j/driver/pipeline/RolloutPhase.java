package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.data.PromptRow;
import io.rlhf4j.data.Rollout;
import io.rlhf4j.driver.pipeline.IterationJobs.Start;
import io.rlhf4j.driver.pipeline.RolloutTable.Committed;
import io.rlhf4j.run.RunFolder;
import io.rlhf4j.workers.rollout.SampledAnswer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * The first half of an iteration: rollouts with the published weights, scored by the tasks that sample them, or samples that
 * the ranks will score. Rollouts that an earlier attempt has committed are not made again, if it made them of the very same
 * weights, prompts and settings: they would come out the same.
 */
final class RolloutPhase {
    /** The order of an iteration's rows. */
    static final Comparator<Rollout> ORDER =
            Comparator.comparing(Rollout::source).thenComparing(Rollout::key).thenComparing(Rollout::sample);

    private final JavaSparkContext context;
    private final RunConfig config;
    private final TaskSettings settings;
    private final RolloutTable table;
    private final PublishedWeights weights;

    RolloutPhase(SparkSession session, RunConfig config, TaskSettings settings, RunFolder folder) {
        this.context = JavaSparkContext.fromSparkContext(session.sparkContext());
        this.config = config;
        this.settings = settings;
        this.table = new RolloutTable(session, folder);
        this.weights = new PublishedWeights(folder, session.sparkContext().hadoopConfiguration());
    }

    /** Rollouts that are there already. */
    Optional<Committed> found(Start start) throws IOException {
        return table.find(start.iteration(), origin(start));
    }

    /** Samples and scores answers. */
    Committed scored(Start start) throws IOException {
        long begin = System.nanoTime();
        RolloutClock clock = new RolloutClock(context.sc());
        return commit(
                start,
                prompts(start).mapPartitions(new RolloutTask(settings, start.iteration(), start.beta(), clock)),
                clock,
                begin);
    }

    /** Samples answers, in the order of rows. */
    ArrayList<SampledAnswer> sampled(Start start, RolloutClock clock) {
        ArrayList<SampledAnswer> answers = new ArrayList<>(prompts(start)
                .mapPartitions(new GenerationTask(settings, start.iteration(), clock))
                .collect());
        answers.sort(Comparator.comparing(SampledAnswer::rollout, ORDER));
        return answers;
    }

    /**
     * Commits rollouts that ranks have scored.
     *
     * @param begin when sampling began
     */
    Committed keep(Start start, List<Rollout> rollouts, RolloutClock clock, long begin) throws IOException {
        List<Rollout> inOrder = rollouts.stream().sorted(ORDER).toList();
        return commit(
                start,
                context.parallelize(inOrder, config.cluster().rolloutPartitionsOrRanks())
                        .map(RolloutSchema::row),
                clock,
                begin);
    }

    private Committed commit(Start start, JavaRDD<Row> rows, RolloutClock clock, long begin) throws IOException {
        table.write(start.iteration(), rows);
        double seconds = (System.nanoTime() - begin) * 1e-9;
        int ranks = config.cluster().ranks();
        return table.commit(
                start.iteration(),
                origin(start),
                Map.of(
                        "seconds_generate", clock.generateSeconds() / ranks,
                        "seconds_score", clock.scoreSeconds() / ranks,
                        "seconds_switch", clock.switchSeconds() / ranks,
                        "seconds_rollout", seconds));
    }

    private JavaRDD<PromptRow> prompts(Start start) {
        return context.parallelize(start.prompts(), config.cluster().rolloutPartitionsOrRanks());
    }

    private String origin(Start start) throws IOException {
        StringBuilder text = new StringBuilder(settings.configuration())
                .append(weights.content(start.iteration(), settings.models()))
                .append(' ')
                .append(start.beta());
        start.prompts().forEach(prompt -> text.append('\n')
                .append(prompt.source())
                .append(prompt.key())
                .append(Arrays.toString(prompt.ids())));
        return Sha256.of(text.toString());
    }
}
