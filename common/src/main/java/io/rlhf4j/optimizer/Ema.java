package io.rlhf4j.optimizer;

import io.rlhf4j.tensor.Tensor;

/**
 * An exponential moving average of weights, started from the first ones and without bias correction: {@code average = decay
 * average + (1 - decay) weights}.
 */
public record Ema(double decay) {
    /** Takes new weights into the average. */
    public void update(Tensor average, Tensor weights) {
        average.backend().scale(average, (float) decay);
        average.backend().addScaled((float) (1 - decay), weights, average);
    }
}
