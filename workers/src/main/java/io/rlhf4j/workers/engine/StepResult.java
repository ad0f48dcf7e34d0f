package io.rlhf4j.workers.engine;

/**
 * What one optimizer step did, the same on every rank.
 *
 * @param loss sum over all micro-batches of all ranks
 * @param gradientNorm of the whole model, before clipping
 * @param learningRate of this step
 * @param skipped whether loss or gradient was not finite, so that nothing was changed
 * @param communicationSeconds this rank's time in collectives, waiting included
 */
public record StepResult(
        double loss, double gradientNorm, double learningRate, boolean skipped, double communicationSeconds) {}
