package io.rlhf4j.workers.engine;

/**
 * What one optimizer step did, the same on every rank but for what a rank took and sent.
 *
 * @param loss sum over all micro-batches of all ranks
 * @param gradientNorm of the whole model, before clipping
 * @param learningRate of this step
 * @param skipped whether loss or gradient was not finite, so that nothing was changed
 * @param communicationSeconds this rank's time in collectives, waiting included
 * @param communicationBytes this rank has given to the network: nothing is given to ranks of the same JVM
 */
public record StepResult(
        double loss,
        double gradientNorm,
        double learningRate,
        boolean skipped,
        double communicationSeconds,
        long communicationBytes) {}
