package io.rlhf4j.driver.plan;

import io.rlhf4j.config.Step;
import java.util.List;

/**
 * What one step will need and do.
 *
 * @param step which
 * @param sentence what it does
 * @param models memory for each rank, model by model
 * @param working memory for each rank beside the models; an estimate
 */
public record StepPlan(Step step, String sentence, List<ModelMemory> models, List<WorkingMemory> working) {
    public StepPlan {
        models = List.copyOf(models);
        working = List.copyOf(working);
    }

    /** Bytes on each rank, in the phase that needs most. */
    public long bytes() {
        return most(phase -> models(phase) + working(phase));
    }

    /** Bytes on a rank's disk. */
    public long diskBytes() {
        return models.stream().mapToLong(ModelMemory::disk).sum();
    }

    /** Bytes of the models alone. */
    public long modelBytes() {
        return most(this::models);
    }

    private interface InPhase {
        long bytes(Phase phase);
    }

    private static long most(InPhase needs) {
        return needs.bytes(Phase.ALWAYS) + Math.max(needs.bytes(Phase.ROLLOUT), needs.bytes(Phase.UPDATE));
    }

    private long models(Phase phase) {
        long held = models.stream()
                .filter(model -> model.phase() == phase)
                .mapToLong(model -> model.bytes() - model.passing())
                .sum();
        return held + (phase == Phase.UPDATE ? passing() : 0);
    }

    /** Passes go through one model after the other. */
    private long passing() {
        return models.stream().mapToLong(ModelMemory::passing).max().orElse(0);
    }

    private long working(Phase phase) {
        return working.stream()
                .filter(memory -> memory.phase() == phase)
                .mapToLong(WorkingMemory::bytes)
                .sum();
    }
}
