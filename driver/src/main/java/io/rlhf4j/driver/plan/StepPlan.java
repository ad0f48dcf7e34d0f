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

    /** Bytes on each rank. */
    public long bytes() {
        return models.stream().mapToLong(ModelMemory::bytes).sum() + WorkingMemory.sum(working);
    }
}
