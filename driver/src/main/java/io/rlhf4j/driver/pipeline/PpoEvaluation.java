package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.Step;
import io.rlhf4j.data.PromptRow;
import io.rlhf4j.driver.data.PreparedData;
import io.rlhf4j.run.MetricsLog;
import io.rlhf4j.run.MetricsRow;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.api.java.JavaSparkContext;

/** What the published actor answers to held-out prompts, in numbers. Measured once for each number of iterations. */
final class PpoEvaluation {
    private static final String SERIES = "evaluation";

    private final JavaSparkContext context;
    private final RunConfig config;
    private final PreparedData data;
    private final Progress progress;
    private final MetricsLog metrics;

    PpoEvaluation(
            JavaSparkContext context, RunConfig config, PreparedData data, Progress progress, MetricsLog metrics) {
        this.context = context;
        this.config = config;
        this.data = data;
        this.progress = progress;
        this.metrics = metrics;
    }

    /** The numbers after so many iterations; none where no prompt is held out. */
    Map<String, Double> of(TaskSettings settings, long iterations) throws IOException {
        Optional<MetricsRow> measured = metrics.rows().stream()
                .filter(row -> row.step() == Step.PPO && row.series().equals(SERIES) && row.position() == iterations)
                .findFirst();
        if (measured.isPresent()) {
            return measured.get().values();
        }
        List<PromptRow> prompts =
                data.promptRows(data.heldOut(Step.PPO, config.evaluation().rows(), config.seed()));
        if (prompts.isEmpty()) {
            return Map.of();
        }
        progress.begin("evaluate", 0, 1);
        List<double[]> rows = context.parallelize(prompts, config.cluster().rolloutPartitionsOrRanks())
                .mapPartitions(new EvaluationTask(settings, iterations))
                .collect();
        Map<String, Double> numbers = new LinkedHashMap<>();
        numbers.put("evaluation/reward", mean(rows, 0));
        numbers.put("evaluation/response_length", mean(rows, 1));
        numbers.put("evaluation/eos_rate", mean(rows, 2));
        metrics.append(Step.PPO, SERIES, iterations, numbers);
        metrics.flush();
        progress.end("evaluate");
        return numbers;
    }

    private static double mean(List<double[]> rows, int column) {
        return rows.stream().mapToDouble(row -> row[column]).average().orElse(Double.NaN);
    }
}
