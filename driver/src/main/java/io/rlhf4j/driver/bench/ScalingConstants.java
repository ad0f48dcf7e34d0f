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
 * @param networks by the number of ranks
 */
record ScalingConstants(
        Shape shape,
        int elementBytes,
        int cores,
        double passes,
        double optimizer,
        Map<Integer, Double> crowding,
        Map<Integer, Network> networks) {
    ScalingConstants {
        crowding = new TreeMap<>(crowding);
        networks = new TreeMap<>(networks);
    }

    /**
     * What ranks that do nothing else exchange over this machine's own network.
     *
     * @param bytesPerSecond that all ranks together send
     * @param messageSeconds of a message of next to nothing
     * @param idle share of the processors that has nothing to do meanwhile: what a rank that computes may use
     */
    record Network(double bytesPerSecond, double messageSeconds, double idle) {}

    /** How many ranks compute at the same time, of so many. */
    static int sideBySide(int ranks, int cores) {
        return Math.min(ranks, cores);
    }

    /**
     * The step that follows.
     *
     * @param drift how many times as long a step of a rank alone takes now as when the constants were measured
     */
    StepTime predicted(int stage, int ranks, double drift) {
        int sideBySide = sideBySide(ranks, cores);
        double slower = drift * crowding.get(sideBySide) * ranks / sideBySide;
        Network network = networks.getOrDefault(ranks, new Network(1, 0, 0));
        return StepTime.of(new StepTime.Work(
                stage,
                shape,
                elementBytes,
                passes * slower,
                optimizer * slower,
                new Exchange(ranks, network.bytesPerSecond() / ranks / drift, network.messageSeconds() * drift),
                network.idle()));
    }
}
