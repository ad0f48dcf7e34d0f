package io.rlhf4j.driver.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rlhf4j.run.ProcessMemory;
import java.util.DoubleSummaryStatistics;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;

/**
 * One measurement: a line of JSON.
 *
 * @param task what was measured: {@code train_step}, {@code generate}, {@code ppo_step}, {@code kernel}
 * @param model which shape, or which kernel
 * @param dtype of the arithmetic; {@code master} is bf16 with fp32 master weights and moments
 * @param shape of the batch
 * @param tokens of one round; 0 where it is not tokens that count
 * @param seconds of each round
 * @param settings how it was measured
 * @param more further numbers
 */
public record Measurement(
        String task,
        String model,
        String dtype,
        String shape,
        long tokens,
        List<Double> seconds,
        BenchSettings settings,
        Map<String, Object> more) {
    private static final String PEAK = "peak_rss_mb";
    private static final ObjectMapper JSON = new ObjectMapper();

    public Measurement {
        seconds = List.copyOf(seconds);
        more = new TreeMap<>(more);
    }

    /** The line. */
    public String json() {
        return json(line());
    }

    private static String json(Map<String, Object> line) {
        try {
            return JSON.writeValueAsString(line);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a measurement cannot be written", e);
        }
    }

    /** Seconds of a round: the median of all. */
    public double medianSeconds() {
        return median(seconds);
    }

    /** The lines of the profile, if there is one: what an average round's time went into. */
    public List<String> profile() {
        double mean =
                seconds.stream().mapToDouble(Double::doubleValue).average().orElse(0);
        return settings.profile().stream()
                .flatMap(profile -> profile.lines(seconds.size(), mean).stream())
                .map(Measurement::json)
                .toList();
    }

    /**
     * This measurement beside what the machine could do at best, which is measured now.
     *
     * @param least the seconds that a round would take then
     */
    Measurement beside(ToDoubleFunction<MachineLimits> least) {
        Map<String, Object> all = new LinkedHashMap<>(more);
        ProcessMemory.residentPeak().ifPresent(bytes -> all.put(PEAK, bytes >> 20));
        MachineLimits limits = MachineLimits.measure(settings);
        all.putAll(limits.share(least.applyAsDouble(limits), median(seconds)));
        return new Measurement(task, model, dtype, shape, tokens, seconds, settings, all);
    }

    /** The fields of the line, in order. Seconds are the median's; memory is the most that this process has had. */
    Map<String, Object> line() {
        double median = median(seconds);
        DoubleSummaryStatistics range =
                seconds.stream().mapToDouble(Double::doubleValue).summaryStatistics();
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("task", task);
        line.put("peer", "rlhf4j-" + settings.backend().name());
        line.put("model", model);
        line.put("dtype", dtype);
        line.put("shape", shape);
        line.put("tokens_per_s", tokens > 0 ? rounded(tokens / median, 1) : null);
        line.put("step_s", rounded(median, 4));
        line.put("step_s_min", rounded(range.getMin(), 4));
        line.put("step_s_max", rounded(range.getMax(), 4));
        line.put("repeats", seconds.size());
        OptionalLong peak = ProcessMemory.residentPeak();
        line.put(PEAK, peak.isPresent() ? peak.getAsLong() >> 20 : null);
        line.put("threads", settings.threads());
        line.putAll(more);
        return line;
    }

    static double median(List<Double> values) {
        double[] sorted =
                values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    static double rounded(double value, int digits) {
        double scale = Math.pow(10, digits);
        return Math.round(value * scale) / scale;
    }
}
