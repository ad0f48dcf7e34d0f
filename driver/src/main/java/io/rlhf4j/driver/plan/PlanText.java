package io.rlhf4j.driver.plan;

import io.rlhf4j.config.RunConfig;
import java.util.Locale;

/** A plan as text: the steps, then memory for each rank, model by model. */
final class PlanText {
    private static final String ROW = "%-8s %-16s %-8s %4s %12s %10s %10s %10s %12s %10s%n";

    private final RunPlan plan;

    PlanText(RunPlan plan) {
        this.plan = plan;
    }

    @Override
    public String toString() {
        RunConfig config = plan.config();
        StringBuilder text = new StringBuilder();
        text.append(String.format(
                Locale.ROOT,
                "run %s in %s: %d rank(s) x %d thread(s), %s, seed %d%n",
                config.name(),
                config.path(),
                config.cluster().ranks(),
                config.cluster().threadsOrShare(),
                config.compute().dtype().name().toLowerCase(Locale.ROOT),
                config.seed()));
        int number = 1;
        for (StepPlan step : plan.steps()) {
            text.append(String.format(Locale.ROOT, "  %d. %s%n", number++, step.sentence()));
        }
        text.append(String.format(Locale.ROOT, "%nmemory for each rank%n"));
        text.append(String.format(
                Locale.ROOT,
                ROW,
                "step",
                "model",
                "phase",
                "ZeRO",
                "parameters",
                "weights",
                "gradients",
                "optimizer",
                "sum",
                "on disk"));
        for (StepPlan step : plan.steps()) {
            for (ModelMemory model : step.models()) {
                text.append(row(step.step().key(), model));
            }
            for (WorkingMemory working : step.working()) {
                text.append(String.format(
                        Locale.ROOT,
                        ROW,
                        step.step().key(),
                        working.name(),
                        working.phase().label(),
                        "",
                        "",
                        "",
                        "",
                        "",
                        Bytes.text(working.bytes()),
                        ""));
            }
            text.append(String.format(
                    Locale.ROOT,
                    ROW,
                    step.step().key(),
                    "together",
                    "",
                    "",
                    "",
                    "",
                    "",
                    "",
                    Bytes.text(step.bytes()),
                    Bytes.text(step.diskBytes())));
        }
        long most = plan.steps().stream().mapToLong(StepPlan::bytes).max().orElse(0);
        return text.append(String.format(
                        Locale.ROOT,
                        "up to %s on a rank, %s on all %d; idle memory that is kept for reuse (256 MB or a sixteenth"
                                + " more, as a rule), the JVM and its heap come on top. Activations are those of %d tokens at once"
                                + " (compute.micro_batch_tokens)%n",
                        Bytes.text(most),
                        Bytes.text(most * config.cluster().ranks()),
                        config.cluster().ranks(),
                        config.compute().microBatchTokens()))
                .toString();
    }

    private static String row(String step, ModelMemory model) {
        return String.format(
                Locale.ROOT,
                ROW,
                step,
                model.model(),
                model.phase().label(),
                model.stage(),
                String.format(Locale.ROOT, "%,d", model.parameters()),
                Bytes.text(model.weights()),
                Bytes.text(model.gradients()),
                Bytes.text(model.optimizer()),
                Bytes.text(model.bytes()),
                Bytes.text(model.disk()));
    }
}
