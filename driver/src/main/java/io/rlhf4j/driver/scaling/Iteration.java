package io.rlhf4j.driver.scaling;

import java.util.Optional;

/**
 * An iteration of PPO whose four models have one shape and are cut at ZeRO stage 3: every rank samples and scores its own
 * prompts and takes one optimizer step of actor and critic over them.
 *
 * @param generate seconds of sampling with a whole actor in every GPU
 * @param score seconds of the forward passes of four models
 * @param training of the actor; the critic's is as long
 * @param publish seconds until every rank has the new weights
 * @param heldBytes that a rank holds while it samples
 */
public record Iteration(double generate, double score, Training training, double publish, double heldBytes) {
    /** Actor and critic learn, reference and reward model do not. */
    private static final int TRAINED = 2;

    private static final int MODELS = 4;
    /** Bytes of master, first and second moment of a parameter. */
    private static final int STATES = 12;

    /** An iteration on so many ranks; empty where a GPU has no room for what it holds while it samples. */
    public static Optional<Iteration> of(Shape shape, int ranks, Load load, Cluster cluster) {
        Training training = Training.of(shape, ranks, load, cluster);
        double weights = Training.BF16 * shape.parameters();
        double frozen = (MODELS - TRAINED) * weights / ranks;
        double cache = load.tokens() * shape.cacheBytes(Training.BF16);
        double held = TRAINED * training.heldBytes() + frozen + weights + cache;
        if (held > cluster.memoryBytes()) {
            return Optional.empty();
        }
        return Optional.of(new Iteration(
                generate(shape, load, cluster, weights),
                MODELS * shape.forwardFlops(load.tokens()) / cluster.flopsPerSecond(),
                training,
                publish(shape, ranks, cluster, weights),
                held));
    }

    /** Each token reads all weights and the cache at its mean length; prompts are computed as in training. */
    private static double generate(Shape shape, Load load, Cluster cluster, double weights) {
        double read = weights + load.meanTokens() * shape.cacheBytes(Training.BF16);
        double prompts = shape.forwardFlops((double) load.sequences() * load.promptTokens());
        return load.newTokens() * read / (cluster.memoryBytesPerSecond() * cluster.decodingShare())
                + prompts / cluster.flopsPerSecond();
    }

    /**
     * Actor and critic are written by all ranks, as many units at a time: all of these are gathered, then each rank writes one.
     * Every rank reads the whole actor. Whoever writes or reads computes the hashes meanwhile.
     */
    private static double publish(Shape shape, int ranks, Cluster cluster, double weights) {
        double unit = weights / shape.units();
        double times = Math.ceil((double) shape.units() / ranks);
        double gathered = shape.units() * cluster.exchange(ranks).seconds(unit);
        double written = times * unit / cluster.filesBytesPerSecond();
        return TRAINED * (gathered + written) + weights / cluster.filesBytesPerSecond();
    }

    /** Seconds of the two optimizer steps. */
    double train() {
        return TRAINED * training.step().seconds();
    }

    /** All of it. */
    public double seconds() {
        return generate + score + train() + publish;
    }

    /** Bytes that a rank sends in the two optimizer steps. */
    double sentBytes() {
        return TRAINED * training.step().sentBytes();
    }

    /** Seconds in which work stands still for a checkpoint. */
    double pause(Cluster cluster) {
        return TRAINED * training.pause(cluster);
    }

    /** From a failure to the first new work: every rank reads the four models it begins with, and its part of the states. */
    static double restart(Shape shape, int ranks, Cluster cluster) {
        double models = MODELS * Training.BF16 * shape.parameters();
        double states = (double) (TRAINED * STATES) * shape.parameters() / ranks;
        return cluster.noticeSeconds() + (models + states) / cluster.filesBytesPerSecond();
    }
}
