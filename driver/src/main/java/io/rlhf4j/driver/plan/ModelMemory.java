package io.rlhf4j.driver.plan;

import io.rlhf4j.config.OptimizerConfig;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.hub.ModelDescription;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.workers.engine.EngineMemory;
import io.rlhf4j.workers.engine.EngineSettings;
import io.rlhf4j.workers.engine.ZeroStage;
import java.util.ArrayList;
import java.util.List;

/**
 * Bytes that one model takes on the rank that has most of it.
 *
 * @param model what it is in its step: {@code actor}, {@code reference} ...
 * @param stage what is cut among the ranks, as ZeRO counts; {@code -} for a model that only computes
 * @param parameters how many
 * @param weights bytes of the weights that compute
 * @param gradients bytes of gradients, of several micro-batches to a step; 0 for a frozen model
 * @param optimizer bytes of moments, and of fp32 masters where the weights are bf16; 0 for a frozen model
 */
public record ModelMemory(String model, String stage, long parameters, long weights, long gradients, long optimizer) {
    private static final String FROZEN = "-";

    /** A model that learns, and a row of its own for the average of its weights where {@code emaDecay} asks for one. */
    static List<ModelMemory> trained(
            String model,
            ModelDescription description,
            int stage,
            OptimizerConfig optimizer,
            double emaDecay,
            RunConfig config) {
        EngineMemory memory = EngineMemory.of(
                description.units(),
                !description.scoreModel() && description.config().head().tied(),
                config.compute().dtype(),
                new EngineSettings(
                        ZeroStage.of(stage), optimizer, 1, config.compute().gradients(), emaDecay),
                true,
                config.cluster().ranks());
        String number = Integer.toString(stage);
        List<ModelMemory> rows = new ArrayList<>();
        rows.add(new ModelMemory(
                model, number, description.parameters(), memory.weights(), memory.gradients(), memory.optimizer()));
        if (memory.average() > 0) {
            rows.add(new ModelMemory("moving average", number, description.parameters(), memory.average(), 0, 0));
        }
        return rows;
    }

    /** A model that only computes. */
    static ModelMemory frozen(String model, long parameters, DType type) {
        return new ModelMemory(model, FROZEN, parameters, parameters * type.bytes(), 0, 0);
    }

    /** All of it. */
    public long bytes() {
        return weights + gradients + optimizer;
    }
}
