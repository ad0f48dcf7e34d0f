package io.rlhf4j.optimizer;

import io.rlhf4j.config.OptimizerConfig;
import io.rlhf4j.tensor.Tensor;
import java.util.List;
import java.util.Locale;

/** A rule that changes flat fp32 parameters by their gradient. It keeps nothing itself: its state is given to it. */
public interface Optimizer {
    /** Names of the state tensors that belong to each parameter; each is as large as the parameter, fp32, zero at first. */
    List<String> stateNames();

    /**
     * One step.
     *
     * @param step number of this step, from 1
     * @param learningRate of this step
     * @param gradientScale multiplies the gradient first (clipping, averaging)
     * @param decayed whether weight decay applies to this parameter
     * @param parameter fp32, changed in place
     * @param gradient fp32 or bf16
     * @param state in the order of {@link #stateNames}, changed in place
     */
    void step(
            long step,
            double learningRate,
            double gradientScale,
            boolean decayed,
            Tensor parameter,
            Tensor gradient,
            List<Tensor> state);

    /** The optimizer that a configuration asks for. */
    static Optimizer of(OptimizerConfig settings) {
        return settings.kind().toLowerCase(Locale.ROOT).equals("adamw")
                ? new AdamW(settings)
                : new Nd4jOptimizer(settings);
    }
}
