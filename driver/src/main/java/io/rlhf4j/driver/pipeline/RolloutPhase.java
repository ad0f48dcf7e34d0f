package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.data.PromptRow;
import io.rlhf4j.driver.pipeline.RolloutTable.Committed;
import io.rlhf4j.run.RunFolder;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;

/**
 * The first half of an iteration: rollouts with the published weights. Those that an earlier attempt has committed are not
 * made again, if it made them of the very same weights, prompts and settings: they would come out the same.
 */
final class RolloutPhase {
    private final JavaSparkContext context;
    private final RunConfig config;
    private final RolloutTable table;
    private final PublishedWeights weights;
    private final Progress progress;

    RolloutPhase(SparkSession session, RunConfig config, RunFolder folder, Progress progress) {
        this.context = JavaSparkContext.fromSparkContext(session.sparkContext());
        this.config = config;
        this.table = new RolloutTable(session, folder);
        this.weights = new PublishedWeights(folder, session.sparkContext().hadoopConfiguration());
        this.progress = progress;
    }

    /**
     * The rollouts of an iteration.
     *
     * @param beta weight of the KL penalty
     */
    Committed of(TaskSettings settings, long iteration, double beta, List<PromptRow> prompts) throws IOException {
        String origin = origin(settings, iteration, beta, prompts);
        Optional<Committed> found = table.find(iteration, origin);
        if (found.isPresent()) {
            progress.note("the rollouts of iteration %d are there already".formatted(iteration));
            return found.get();
        }
        long begin = System.nanoTime();
        RolloutClock clock = new RolloutClock(context.sc());
        table.write(
                iteration,
                context.parallelize(prompts, config.cluster().rolloutPartitionsOrRanks())
                        .mapPartitions(new RolloutTask(settings, iteration, beta, clock)));
        double seconds = (System.nanoTime() - begin) * 1e-9;
        int ranks = config.cluster().ranks();
        return table.commit(
                iteration,
                origin,
                Map.of(
                        "seconds_generate", clock.generateSeconds() / ranks,
                        "seconds_score", clock.scoreSeconds() / ranks,
                        "seconds_switch", clock.switchSeconds() / ranks,
                        "seconds_rollout", seconds));
    }

    private String origin(TaskSettings settings, long iteration, double beta, List<PromptRow> prompts)
            throws IOException {
        StringBuilder text = new StringBuilder(settings.configuration())
                .append(weights.content(iteration, settings.models()))
                .append(' ')
                .append(beta);
        prompts.forEach(prompt ->
                text.append('\n').append(prompt.source()).append(prompt.key()).append(Arrays.toString(prompt.ids())));
        return Sha256.of(text.toString());
    }
}
