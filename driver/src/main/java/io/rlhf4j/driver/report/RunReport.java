package io.rlhf4j.driver.report;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.Step;
import io.rlhf4j.data.EvaluatedAnswer;
import io.rlhf4j.driver.pipeline.EvaluatedAnswers;
import io.rlhf4j.driver.pipeline.StepResult;
import io.rlhf4j.driver.pipeline.StepResults;
import io.rlhf4j.driver.plan.Bytes;
import io.rlhf4j.driver.plan.PeakMemory;
import io.rlhf4j.run.MetricsRow;
import io.rlhf4j.run.RunFolder;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.hadoop.conf.Configuration;

/** Writes report.html from what lies in a run's folder, whether the run came to its end or not. */
public final class RunReport {
    /** Metrics that are looked at first. */
    private static final List<String> TELLING = List.of(
            "loss",
            "perplexity",
            "accuracy",
            "score_gap",
            "reward",
            "score_mean",
            "kl_sum",
            "entropy",
            "response_length",
            "eos_rate",
            "policy_loss",
            "value_loss",
            "explained_variance",
            "approx_kl",
            "clip_fraction",
            "tokens_per_second",
            "tokens_per_second_generate",
            "tokens_per_second_train",
            "seconds_iteration");

    private final RunFolder folder;
    private final Configuration hadoop;
    private final List<PeakMemory> memory;
    private final Html html = new Html();

    private RunReport(RunFolder folder, Configuration hadoop, List<PeakMemory> memory) {
        this.folder = folder;
        this.hadoop = hadoop;
        this.memory = memory;
    }

    /**
     * Writes the report of a run.
     *
     * @param memory what was needed beside what was planned
     */
    public static void write(RunFolder folder, Configuration hadoop, List<PeakMemory> memory) throws IOException {
        String page = new RunReport(folder, hadoop, memory).page();
        folder.files().write(folder.report(), page);
    }

    private String page() throws IOException {
        String name = folder.root().getName();
        html.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>")
                .raw("<meta name=\"viewport\" content=\"width=device-width\"/>")
                .element("title", name)
                .raw("<style>\n" + style() + "</style>\n</head>\n<body>")
                .element("h1", name);
        status();
        List<MetricsRow> metrics = folder.openMetrics().rows();
        for (Step step : Step.values()) {
            step(step, metrics.stream().filter(row -> row.step() == step).toList());
        }
        memory();
        configuration();
        identity();
        return html.raw("</body>\n</html>").toString();
    }

    private void status() throws IOException {
        folder.readStatus().ifPresent(status -> html.raw("<p class=\"soft\">")
                .raw(Html.escaped("%s: %s, %s. %s"
                        .formatted(
                                status.command(),
                                status.state().name().toLowerCase(Locale.ROOT),
                                status.updated(),
                                status.message())))
                .raw("</p>"));
    }

    private void step(Step step, List<MetricsRow> rows) throws IOException {
        if (rows.isEmpty()) {
            return;
        }
        html.element("h2", title(step));
        new StepResults(folder).of(step).ifPresent(this::comparison);
        html.raw("<p class=\"soft\">Over %s: training as a line, held-out rows as points.</p>"
                .formatted(step == Step.PPO ? "iterations" : "optimizer steps"));
        TreeSet<String> others = names(rows);
        others.removeAll(TELLING);
        curves(TELLING, rows);
        html.raw("<details>").element("summary", "all other curves");
        curves(others, rows);
        html.raw("</details>");
        answers(new EvaluatedAnswers(folder, hadoop).of(step));
    }

    private void curves(Collection<String> names, List<MetricsRow> rows) {
        html.raw("<div class=\"curves\">");
        names.stream().map(name -> Curve.of(name, rows)).filter(Curve::shown).forEach(curve -> html.raw(curve.svg()));
        html.raw("</div>");
    }

    private void comparison(StepResult result) {
        Map<String, Double> names = new TreeMap<>(result.before());
        names.putAll(result.after());
        if (!names.isEmpty()) {
            html.table(
                    List.of("on held-out rows", "before", "after"),
                    names.keySet().stream()
                            .map(name -> List.of(
                                    Curve.nameOf(name), cell(result.before(), name), cell(result.after(), name)))
                            .toList());
        }
        html.table(
                List.of("exported", "directory"),
                result.exports().entrySet().stream()
                        .map(export -> List.of(export.getKey(), export.getValue()))
                        .toList());
    }

    /** The first evaluation's answers beside the last's. */
    private void answers(SortedMap<Long, List<EvaluatedAnswer>> kept) {
        if (kept.isEmpty()) {
            return;
        }
        Map<String, EvaluatedAnswer> last = new TreeMap<>();
        kept.get(kept.lastKey()).forEach(answer -> last.put(answer.source() + "/" + answer.key(), answer));
        List<List<String>> rows = new ArrayList<>();
        for (EvaluatedAnswer first : kept.get(kept.firstKey())) {
            EvaluatedAnswer after = last.get(first.source() + "/" + first.key());
            if (after != null) {
                rows.add(List.of(first.prompt(), scored(first), scored(after)));
            }
        }
        html.element("h3", "Answers to held-out prompts")
                .table(List.of("prompt", "after " + kept.firstKey(), "after " + kept.lastKey()), rows);
    }

    private static String scored(EvaluatedAnswer answer) {
        Double reward = answer.numbers().get("reward");
        return reward == null ? answer.answer() : "%s\n[%s]".formatted(answer.answer(), Numbers.text(reward));
    }

    private void memory() {
        if (!memory.isEmpty()) {
            html.element("h2", "Memory at its peak")
                    .table(
                            List.of("step", "planned for a rank", "counted on a rank", "process"),
                            memory.stream()
                                    .map(peak -> List.of(
                                            peak.step().key(),
                                            Bytes.text(peak.planned()),
                                            Bytes.text(peak.counted()),
                                            Bytes.text(peak.resident())))
                                    .toList());
        }
    }

    private void configuration() throws IOException {
        folder.readConfig()
                .ifPresent(config -> html.element("h2", "Configuration").element("pre", ConfigFile.write(config)));
    }

    private void identity() throws IOException {
        folder.readManifest().ifPresent(manifest -> {
            html.element("h2", "Identity");
            manifest.changes().forEach(change -> html.element("p", "changed " + change));
            // The configuration stands above; here is what it does not tell.
            html.table(
                    List.of("what", "is"),
                    manifest.identity().facts().entrySet().stream()
                            .filter(fact -> !fact.getKey().contains(".")
                                    || fact.getKey().contains(" "))
                            .map(fact -> List.of(fact.getKey(), fact.getValue()))
                            .toList());
        });
    }

    private static TreeSet<String> names(List<MetricsRow> rows) {
        TreeSet<String> names = new TreeSet<>();
        rows.forEach(row -> row.values().keySet().forEach(name -> names.add(Curve.nameOf(name))));
        return names;
    }

    private static String title(Step step) {
        return switch (step) {
            case SFT -> "Supervised fine-tuning";
            case REWARD -> "Reward model";
            case PPO -> "Proximal policy optimisation";
        };
    }

    private static String cell(Map<String, Double> values, String name) {
        return values.containsKey(name) ? Numbers.text(values.get(name)) : "";
    }

    private static String style() {
        try (InputStream css = RunReport.class.getResourceAsStream("report.css")) {
            return new String(Objects.requireNonNull(css, "report.css").readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException unreadable) {
            throw new UncheckedIOException("report.css cannot be read from the jar", unreadable);
        }
    }
}
