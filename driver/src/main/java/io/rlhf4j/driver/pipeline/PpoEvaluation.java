package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.Step;
import io.rlhf4j.data.EvaluatedAnswer;
import io.rlhf4j.data.PromptRow;
import io.rlhf4j.driver.data.PreparedData;
import io.rlhf4j.driver.spark.BarrierJob;
import io.rlhf4j.reward.Answer;
import io.rlhf4j.run.MetricsLog;
import io.rlhf4j.run.MetricsRow;
import io.rlhf4j.workers.runtime.StateId;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;

/** What the published actor answers to held-out prompts, in numbers. Measured once for each number of iterations. */
final class PpoEvaluation {
    private static final String SERIES = "evaluation";
    /** Standard deviations from the mean that hold 95 % of a normal distribution. */
    private static final double NORMAL_95 = 1.96;

    private final JavaSparkContext context;
    private final RunConfig config;
    private final PreparedData data;
    private final TaskSettings settings;
    private final BarrierJob ranks;
    private final Progress progress;
    private final MetricsLog metrics;

    PpoEvaluation(
            JavaSparkContext context,
            RunConfig config,
            PreparedData data,
            TaskSettings settings,
            BarrierJob ranks,
            Progress progress,
            MetricsLog metrics) {
        this.context = context;
        this.config = config;
        this.data = data;
        this.settings = settings;
        this.ranks = ranks;
        this.progress = progress;
        this.metrics = metrics;
    }

    /**
     * The numbers after so many iterations; none where no prompt is held out.
     *
     * @param state of the models
     * @param saved iterations behind the newest checkpoint
     */
    Map<String, Double> of(StateId state, long saved) throws IOException {
        long iterations = state.version();
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
        JavaRDD<PromptRow> rows = context.parallelize(prompts, config.cluster().rolloutPartitionsOrRanks());
        List<EvaluatedAnswer> answers = config.cluster().ranksScore()
                ? scored(
                        new ArrayList<>(rows.mapPartitions(new EvaluationAnswers(settings, iterations))
                                .collect()),
                        state,
                        saved)
                : rows.mapPartitions(new EvaluationTask(settings, iterations)).collect();
        new EvaluatedAnswers(settings.folder(config), settings.hadoopConfiguration())
                .keep(Step.PPO, iterations, answers, config.evaluation().samples());
        Map<String, Double> numbers =
                summary(answers.stream().map(EvaluatedAnswer::numbers).toList());
        metrics.append(Step.PPO, SERIES, iterations, numbers);
        metrics.flush();
        progress.end("evaluate");
        return numbers;
    }

    /** The answers measured by all ranks, in the order of the answers. */
    private List<EvaluatedAnswer> scored(ArrayList<Answer> answers, StateId state, long saved) {
        Broadcast<ArrayList<Answer>> shared = context.broadcast(answers);
        try {
            TreeMap<Integer, EvaluatedAnswer> evaluated = new TreeMap<>();
            for (LinkedHashMap<?, ?> share : ranks.run(
                    TrainedTask.HOLDING,
                    state,
                    LinkedHashMap.class,
                    new EvaluationScoring(settings, saved, state, shared))) {
                share.forEach((place, answer) -> evaluated.put((Integer) place, (EvaluatedAnswer) answer));
            }
            return List.copyOf(evaluated.values());
        } finally {
            shared.destroy();
        }
    }

    /** The means of what was measured, and the intervals of those of rewards. */
    private static Map<String, Double> summary(List<LinkedHashMap<String, Double>> rows) {
        Map<String, Double> numbers = new LinkedHashMap<>();
        Set<String> names = rows.isEmpty() ? Set.of() : rows.get(0).keySet();
        for (String name : names) {
            double[] column = rows.stream().mapToDouble(row -> row.get(name)).toArray();
            double mean = Arrays.stream(column).average().orElseThrow();
            numbers.put(SERIES + "/" + name, mean);
            if (name.startsWith(AnswerEvaluation.REWARD)) {
                numbers.put(SERIES + "/" + name + "_interval", interval(column, mean));
            }
        }
        return numbers;
    }

    /** Half the width of the normal 95 % interval of a mean. */
    private static double interval(double[] values, double mean) {
        double squares = Arrays.stream(values)
                .map(value -> (value - mean) * (value - mean))
                .sum();
        return NORMAL_95 * Math.sqrt(squares / Math.max(1, values.length - 1) / values.length);
    }
}
