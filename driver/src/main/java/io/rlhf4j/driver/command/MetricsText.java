package io.rlhf4j.driver.command;

import io.rlhf4j.driver.report.Numbers;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Numbers for people: the few that matter, short. */
final class MetricsText {
    private static final int MOST = 5;
    private static final List<String> FIRST = List.of(
            "loss",
            "perplexity",
            "accuracy",
            "score_mean",
            "score",
            "kl",
            "kl_sum",
            "response_length",
            "tokens_per_second");

    private MetricsText() {}

    /** The most telling numbers, as {@code name value}. */
    static String of(Map<String, Double> metrics) {
        List<String> names = FIRST.stream().filter(metrics::containsKey).toList();
        if (names.isEmpty()) {
            names = metrics.keySet().stream().sorted().toList();
        }
        return names.stream()
                .limit(MOST)
                .map(name -> name + " " + Numbers.text(metrics.get(name)))
                .collect(Collectors.joining("  "));
    }
}
