package io.rlhf4j.tensor;

/**
 * One AdamW step (Loshchilov and Hutter 2019) in PyTorch's form: decoupled decay, epsilon after the bias-corrected root.
 *
 * @param learningRate of this step
 * @param beta1 decay of the first moment
 * @param beta2 decay of the second moment
 * @param epsilon added to the root of the bias-corrected second moment
 * @param weightDecay times the learning rate, taken off the parameter first
 * @param step the step's number, from 1
 * @param gradientScale multiplies the gradient first (clipping, averaging)
 */
public record AdamWSettings(
        double learningRate,
        double beta1,
        double beta2,
        double epsilon,
        double weightDecay,
        long step,
        double gradientScale) {}
