package io.rlhf4j.driver.plan;

import io.rlhf4j.config.Step;
import io.rlhf4j.run.MetricsRow;
import io.rlhf4j.workers.runtime.MemoryUse;
import java.util.ArrayList;
import java.util.List;

/**
 * What a step needed beside what was planned for it, in bytes.
 *
 * @param step which
 * @param planned on a rank: {@link StepPlan#bytes}
 * @param counted the most that tensors took at once on a rank
 * @param resident the most physical memory that a rank's process has had since it began; 0 where the system does not tell
 */
public record PeakMemory(Step step, long planned, long counted, long resident) {
    /** Of the steps that {@code metrics} tell of. */
    public static List<PeakMemory> of(RunPlan plan, List<MetricsRow> metrics) {
        List<PeakMemory> peaks = new ArrayList<>();
        for (StepPlan step : plan.steps()) {
            long counted = peak(metrics, step.step(), MemoryUse.COUNTED);
            if (counted > 0) {
                peaks.add(new PeakMemory(
                        step.step(), step.bytes(), counted, peak(metrics, step.step(), MemoryUse.RESIDENT)));
            }
        }
        return peaks;
    }

    private static long peak(List<MetricsRow> metrics, Step step, String name) {
        return (long) metrics.stream()
                .filter(row -> row.step() == step)
                .mapToDouble(row -> row.values().getOrDefault(name, 0.0))
                .max()
                .orElse(0);
    }
}
