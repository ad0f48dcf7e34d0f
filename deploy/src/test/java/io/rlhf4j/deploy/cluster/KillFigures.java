package io.rlhf4j.deploy.cluster;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.rlhf4j.run.MetricsRow;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What deaths cost. Useful time is what the committed iterations take undisturbed; an executor's death costs the rest of the
 * time between the first one and twenty seconds after the last. A driver's costs the time until the next commit.
 */
final class KillFigures {
    private static final Duration TAIL = Duration.ofSeconds(20);
    /** Iterations at the beginning of both runs that are not counted: their JVMs are cold. */
    static final int COLD = 10;

    private final Duration undisturbed;
    private final Duration disturbed;
    private final List<Instant> commits;
    private final List<DisturbedRun.Event> events;
    private final List<ExecutorWatch.Moment> moments;
    private final double iteration;

    /**
     * Figures of two runs.
     *
     * @param undisturbed how long that run took, with the start of its driver
     * @param disturbed how long the other took
     * @param before metrics of the undisturbed run
     * @param after metrics of the disturbed run
     */
    KillFigures(
            Duration undisturbed,
            Duration disturbed,
            List<MetricsRow> before,
            List<MetricsRow> after,
            List<DisturbedRun.Event> events,
            List<ExecutorWatch.Moment> moments) {
        this.undisturbed = undisturbed;
        this.disturbed = disturbed;
        this.commits = commits(after);
        this.events = events;
        this.moments = moments;
        this.iteration = medianIteration(commits(before));
    }

    private static List<Instant> commits(List<MetricsRow> rows) {
        return rows.stream()
                .filter(row -> row.series().equals("train"))
                .map(row -> Instant.parse(row.time()))
                .toList();
    }

    private static double medianIteration(List<Instant> commits) {
        List<Double> seconds = new ArrayList<>();
        for (int i = COLD; i < commits.size(); i++) {
            seconds.add(seconds(commits.get(i - 1), commits.get(i)));
        }
        return median(seconds);
    }

    private static double median(List<Double> values) {
        List<Double> sorted = values.stream().sorted().toList();
        return sorted.isEmpty() ? Double.NaN : sorted.get(sorted.size() / 2);
    }

    private static double seconds(Instant from, Instant to) {
        return Duration.between(from, to).toMillis() * 1e-3;
    }

    /** All figures by name. */
    Map<String, Object> figures() {
        Instant begin = events.get(0).at();
        Instant end = end();
        double elapsed = seconds(begin, end);
        double useful = committedBetween(begin, end) * iteration;
        long deaths = executorDeaths().size();
        double cost = (elapsed - useful) / deaths;
        Map<String, Object> figures = new LinkedHashMap<>();
        figures.put("undisturbed_s", undisturbed.toMillis() * 1e-3);
        figures.put("disturbed_s", disturbed.toMillis() * 1e-3);
        figures.put("iteration_s", iteration);
        figures.put("executor_deaths", deaths);
        figures.put("deaths_by_phase", deathsByPhase());
        figures.put("seconds_between_deaths", elapsed / deaths);
        figures.put("useful_share", useful / elapsed);
        figures.put("cost_of_a_death_s", cost);
        figures.put(
                "to_next_commit_s",
                executorDeaths().stream().map(this::toNextCommit).toList());
        figures.put("executor_start_s", median(startSeconds()));
        figures.put(
                "driver_outages_s",
                driverEvents().stream().map(this::toNextCommit).toList());
        figures.put("useful_share_at_one_death_in_600_s", 1 - cost / 600);
        return figures;
    }

    private Map<String, Long> deathsByPhase() {
        return executorDeaths().stream()
                .collect(Collectors.groupingBy(DisturbedRun.Event::phase, TreeMap::new, Collectors.counting()));
    }

    private List<DisturbedRun.Event> executorDeaths() {
        return events.stream()
                .filter(event -> event.kind() == KillPlan.Kind.EXECUTOR_DIES)
                .toList();
    }

    private List<DisturbedRun.Event> driverEvents() {
        return events.stream()
                .filter(event -> event.kind() != KillPlan.Kind.EXECUTOR_DIES)
                .toList();
    }

    private Instant end() {
        List<DisturbedRun.Event> deaths = executorDeaths();
        Instant last = deaths.get(deaths.size() - 1).at().plus(TAIL);
        Instant ended = commits.get(commits.size() - 1);
        return last.isBefore(ended) ? last : ended;
    }

    private long committedBetween(Instant begin, Instant end) {
        return commits.stream()
                .filter(commit -> commit.isAfter(begin) && !commit.isAfter(end))
                .count();
    }

    private double toNextCommit(DisturbedRun.Event event) {
        return commits.stream()
                .filter(commit -> commit.isAfter(event.at()))
                .findFirst()
                .map(commit -> seconds(event.at(), commit))
                .orElse(Double.NaN);
    }

    /** From the death of each executor to the first work of the next one. */
    private List<Double> startSeconds() {
        List<Double> seconds = new ArrayList<>();
        for (DisturbedRun.Event death : executorDeaths()) {
            moments.stream()
                    .filter(moment -> moment.at().isAfter(death.at())
                            && moment.phase().name().equals("starting"))
                    .findFirst()
                    .flatMap(start -> moments.stream()
                            .filter(moment -> moment.executor() == start.executor()
                                    && !moment.phase().name().equals("starting"))
                            .findFirst())
                    .ifPresent(work -> seconds.add(seconds(death.at(), work.at())));
        }
        return seconds;
    }

    /** Writes all figures, what was done and what the executors were at. */
    void write(Path file) throws IOException {
        Map<String, Object> all = new LinkedHashMap<>(figures());
        all.put("commits", commits.stream().map(Instant::toString).toList());
        all.put("events", events.stream().map(KillFigures::text).toList());
        all.put("moments", moments.stream().map(KillFigures::text).toList());
        new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValue(file.toFile(), all);
    }

    private static String text(DisturbedRun.Event event) {
        return "%s %s %s %s".formatted(event.at(), event.kind(), event.phase(), event.who());
    }

    private static String text(ExecutorWatch.Moment moment) {
        return "%s %s %s %s"
                .formatted(
                        moment.at(),
                        moment.executor(),
                        moment.phase().name(),
                        moment.phase().of());
    }

    /** The figures for people, with what was done. */
    String text() {
        StringBuilder text = new StringBuilder();
        events.forEach(event -> text.append(text(event)).append('\n'));
        figures().forEach((name, value) -> text.append("%-36s %s%n".formatted(name, value)));
        return text.toString();
    }
}
