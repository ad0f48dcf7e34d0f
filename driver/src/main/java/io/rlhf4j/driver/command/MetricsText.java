package io.rlhf4j.driver.command;

import java.util.List;
import java.util.Locale;
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
                .map(name -> name + " " + number(metrics.get(name)))
                .collect(Collectors.joining("  "));
    }

    /** Four digits that count. */
    static String number(double value) {
        if (value == Math.rint(value) && Math.abs(value) < 1e7) {
            return Long.toString(Math.round(value));
        }
        boolean plain = Math.abs(value) >= 1e-3 && Math.abs(value) < 1e6;
        return String.format(Locale.ROOT, plain ? (Math.abs(value) >= 100 ? "%.1f" : "%.4f") : "%.3e", value);
    }
}
