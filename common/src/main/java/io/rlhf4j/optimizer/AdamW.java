package io.rlhf4j.optimizer;

import io.rlhf4j.config.OptimizerConfig;
import io.rlhf4j.tensor.AdamWSettings;
import io.rlhf4j.tensor.Tensor;
import java.util.List;

/** Adam with decoupled weight decay (Loshchilov and Hutter 2019), computed by the backend in one pass. */
public final class AdamW implements Optimizer {
    private final OptimizerConfig settings;

    public AdamW(OptimizerConfig settings) {
        this.settings = settings;
    }

    @Override
    public List<String> stateNames() {
        return List.of("moment1", "moment2");
    }

    @Override
    public void step(
            long step,
            double learningRate,
            double gradientScale,
            boolean decayed,
            Tensor parameter,
            Tensor gradient,
            List<Tensor> state) {
        AdamWSettings now = new AdamWSettings(
                learningRate,
                settings.beta1(),
                settings.beta2(),
                settings.epsilon(),
                decayed ? settings.weightDecay() : 0,
                step,
                gradientScale);
        parameter.backend().adamW(now, parameter, gradient, state.get(0), state.get(1));
    }
}
