package io.rlhf4j.driver.plan;

import io.rlhf4j.config.OffloadConfig;
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
 * @param phase when it is held
 * @param stage what is cut among the ranks, as ZeRO counts; {@code -} for a model that tasks hold, each for itself
 * @param parameters how many
 * @param weights bytes of the weights that compute
 * @param gradients bytes of gradients, of several micro-batches to a step; 0 for a frozen model
 * @param optimizer bytes of moments, and of fp32 masters where the weights are bf16; 0 for a frozen model
 * @param disk bytes that lie on the rank's disk, and not in its memory
 * @param passing how much of weights and gradients is there only while a pass goes through the model: of one model at a time
 */
public record ModelMemory(
        String model,
        Phase phase,
        String stage,
        long parameters,
        long weights,
        long gradients,
        long optimizer,
        long disk,
        long passing) {
    private static final String WHOLE = "-";

    /**
     * A model that learns, with rows of their own for the average of its weights, where {@code emaDecay} asks for one, and
     * for the copy from which a checkpoint is written while training goes on.
     */
    static List<ModelMemory> trained(
            String model,
            ModelDescription description,
            int stage,
            OptimizerConfig optimizer,
            double emaDecay,
            RunConfig config) {
        EngineSettings settings = new EngineSettings(
                ZeroStage.of(stage), optimizer, 1, config.compute().gradients(), emaDecay);
        int ranks = config.cluster().ranks();
        EngineMemory memory = EngineMemory.of(
                description.units(),
                !description.scoreModel() && description.config().head().tied(),
                config.compute().dtype(),
                settings,
                true,
                ranks);
        boolean onDisk = config.cluster().offload().optimizer() == OffloadConfig.Place.DISK;
        String number = Integer.toString(stage);
        List<ModelMemory> rows = new ArrayList<>();
        rows.add(new ModelMemory(
                model,
                Phase.ALWAYS,
                number,
                description.parameters(),
                memory.weights(),
                memory.gradients(),
                onDisk ? 0 : memory.optimizer(),
                onDisk ? memory.optimizer() : 0,
                memory.passing()));
        if (memory.average() > 0) {
            rows.add(beside("moving average", number, description, memory.average(), onDisk));
        }
        if (config.checkpoints().asynchronous()) {
            long copy = EngineMemory.saved(description.units(), settings, ranks);
            rows.add(beside(model + "'s copy", number, description, copy, onDisk));
        }
        return rows;
    }

    /** What lies where the optimizer's states do. */
    private static ModelMemory beside(
            String name, String stage, ModelDescription description, long bytes, boolean onDisk) {
        return new ModelMemory(
                name, Phase.ALWAYS, stage, description.parameters(), onDisk ? 0 : bytes, 0, 0, onDisk ? bytes : 0, 0);
    }

    /** A model that only computes, and that all ranks hold together. */
    static ModelMemory frozen(String model, ModelDescription description, int stage, RunConfig config) {
        ZeroStage cut = ZeroStage.of(stage);
        DType type = config.compute().dtype();
        return new ModelMemory(
                model,
                Phase.ALWAYS,
                Integer.toString(stage),
                description.parameters(),
                EngineMemory.weights(
                        description.units(), type, cut, config.cluster().ranks()),
                0,
                0,
                0,
                EngineMemory.passing(description.units(), type, cut));
    }

    /** A model that only computes, whole. */
    static ModelMemory whole(String model, Phase phase, ModelDescription description, DType type) {
        return new ModelMemory(
                model, phase, WHOLE, description.parameters(), description.parameters() * type.bytes(), 0, 0, 0, 0);
    }

    /** Published weights of a model, for sampling. */
    static ModelMemory published(String model, ModelDescription description, DType type, RunConfig config) {
        ModelMemory memory = whole(model, Phase.ROLLOUT, description, type);
        return config.cluster().offload().rollout() == OffloadConfig.Place.DISK ? memory.moved() : memory;
    }

    private ModelMemory moved() {
        return new ModelMemory(model, phase, stage, parameters, 0, 0, 0, bytes(), 0);
    }

    /** All that is in memory. */
    public long bytes() {
        return weights + gradients + optimizer;
    }
}
