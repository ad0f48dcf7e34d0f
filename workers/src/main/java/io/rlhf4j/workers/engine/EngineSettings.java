package io.rlhf4j.workers.engine;

import io.rlhf4j.config.OptimizerConfig;
import io.rlhf4j.tensor.DType;
import java.nio.file.Path;
import java.util.Optional;

/**
 * How an engine trains a model.
 *
 * @param stage what is cut among the ranks
 * @param optimizer its rule, schedule and clipping
 * @param plannedSteps over which the learning rate follows its schedule
 * @param gradients their element type in a step of one micro-batch; those of several are summed in fp32 whatever it is
 * @param emaDecay of the weights' moving average; 0 keeps none
 * @param statesOnDisk a local folder for what only the optimizer needs: states, fp32 masters, average; empty for memory
 */
public record EngineSettings(
        ZeroStage stage,
        OptimizerConfig optimizer,
        long plannedSteps,
        DType gradients,
        double emaDecay,
        Optional<Path> statesOnDisk) {
    /** With everything in memory. */
    public EngineSettings(
            ZeroStage stage, OptimizerConfig optimizer, long plannedSteps, DType gradients, double emaDecay) {
        this(stage, optimizer, plannedSteps, gradients, emaDecay, Optional.empty());
    }
}
