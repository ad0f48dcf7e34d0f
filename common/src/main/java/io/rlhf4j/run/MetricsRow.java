package io.rlhf4j.run;

import io.rlhf4j.config.Step;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Numbers of one moment of a run: a line of metrics.jsonl.
 *
 * @param step which of the three steps
 * @param series what was measured, such as {@code train} or {@code evaluation}
 * @param position the optimizer step (sft, reward) or iteration (ppo) they belong to
 * @param time when, ISO 8601
 * @param values the numbers by name
 */
public record MetricsRow(Step step, String series, long position, String time, Map<String, Double> values) {
    public MetricsRow {
        values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    }

    boolean sameMoment(MetricsRow other) {
        return step == other.step && position == other.position && series.equals(other.series);
    }
}
