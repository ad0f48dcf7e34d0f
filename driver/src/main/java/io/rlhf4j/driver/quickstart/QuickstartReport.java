package io.rlhf4j.driver.quickstart;

import io.rlhf4j.config.Step;
import io.rlhf4j.driver.pipeline.StepResult;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** The quickstart's result as a table and answers side by side. */
final class QuickstartReport {
    private final StringBuilder text = new StringBuilder();

    private QuickstartReport() {}

    static String of(
            List<StepResult> results,
            HeldOutQuestions.Answered before,
            HeldOutQuestions.Answered after,
            List<String> questions,
            int samples) {
        QuickstartReport report = new QuickstartReport();
        report.text.append("%nOn held-out rows                     before      after%n".formatted());
        for (StepResult result : results) {
            report.step(result);
        }
        AnswerQuality first = before.quality();
        AnswerQuality last = after.quality();
        report.text.append(
                "%nGround truth of %d held-out answers  after SFT   after PPO%n".formatted(questions.size()));
        report.row("ground truth (0 to 1)", first.truth(), last.truth());
        report.row("  95 % interval, +-", first.truthInterval(), last.truthInterval());
        report.row("right fact", first.fact(), last.fact());
        report.row("right language", first.language(), last.language());
        report.row("house rules kept", first.rules(), last.rules());
        report.row("tokens of an answer", first.length(), last.length());
        report.row("share of distinct answers", first.distinct(), last.distinct());
        int step = Math.max(1, questions.size() / Math.max(1, samples));
        for (int i = 0; i < samples && i * step < questions.size(); i++) {
            report.text.append("%n  customer   %s%n  after SFT  %s%n  after PPO  %s%n"
                    .formatted(
                            questions.get(i * step),
                            before.answers().get(i * step),
                            after.answers().get(i * step)));
        }
        return report.text.toString();
    }

    private void step(StepResult result) {
        Map<String, Double> names = new TreeMap<>(result.before());
        names.putAll(result.after());
        for (String name : names.keySet()) {
            row(
                    label(result.step()) + " " + name.replace("evaluation/", "").replace('_', ' '),
                    result.before().getOrDefault(name, Double.NaN),
                    result.after().getOrDefault(name, Double.NaN));
        }
    }

    private static String label(Step step) {
        return switch (step) {
            case SFT -> "SFT";
            case REWARD -> "reward model";
            case PPO -> "PPO";
        };
    }

    private void row(String name, double before, double after) {
        text.append("%-34s %10s  %10s%n".formatted(name, number(before), number(after)));
    }

    private static String number(double value) {
        return Double.isNaN(value) ? "" : String.format(Locale.ROOT, "%.3f", value);
    }
}
