package io.rlhf4j.driver.bench;

import io.rlhf4j.driver.scaling.Exchange;
import io.rlhf4j.driver.scaling.Shape;
import io.rlhf4j.driver.scaling.StepTime;
import java.util.Map;
import java.util.TreeMap;

/**
 * What this machine does, as far as a step's time follows from it.
 *
 * @param shape of the model
 * @param elementBytes of a weight
 * @param cores of the machine
 * @param passes seconds of forward and backward pass of a rank alone, with one thread
 * @param optimizer seconds of the optimizer of a rank alone, over all parameters
 * @param crowding how many times as long a step takes where so many ranks compute side by side, without exchanging anything
 * @param bytesPerSecond that all ranks together send over this machine's own network
 * @param messageSeconds of an exchange of next to nothing between two ranks
 */
record ScalingConstants(
        Shape shape,
        int elementBytes,
        int cores,
        double passes,
        double optimizer,
        Map<Integer, Double> crowding,
        double bytesPerSecond,
        double messageSeconds) {
    ScalingConstants {
        crowding = new TreeMap<>(crowding);
    }

    /** How many ranks compute at the same time, of so many. */
    static int sideBySide(int ranks, int cores) {
        return Math.min(ranks, cores);
    }

    /** The step that follows. The network is the processors' work here: it goes on beside a step on idle cores only. */
    StepTime predicted(int stage, int ranks) {
        int sideBySide = sideBySide(ranks, cores);
        double slower = crowding.get(sideBySide) * ranks / sideBySide;
        double idle = Math.min(1, Math.max(0.0, cores - ranks) / ranks);
        return StepTime.of(new StepTime.Work(
                stage,
                shape,
                elementBytes,
                passes * slower,
                optimizer * slower,
                new Exchange(ranks, bytesPerSecond / ranks, messageSeconds * ranks / 2),
                idle));
    }
}
