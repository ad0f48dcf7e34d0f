package io.rlhf4j.driver.scaling;

/**
 * One model in training at ZeRO stage 3, in bf16 with fp32 masters and moments: an optimizer step over one micro-batch a rank.
 *
 * @param step its time
 * @param heldBytes that a rank holds of weights, gradients, masters and moments
 * @param savedBytes that a rank writes into a checkpoint: masters and moments
 */
public record Training(StepTime step, double heldBytes, double savedBytes) {
    private static final int STAGE = 3;
    /** Bytes of a weight or a gradient. */
    static final int BF16 = 2;
    /** Bytes of master, first and second moment. */
    private static final int STATES = 12;

    /** A model on so many ranks. */
    public static Training of(Shape shape, int ranks, Load load, Cluster cluster) {
        double passes = 3 * shape.forwardFlops(load.tokens()) / cluster.flopsPerSecond();
        // States are read and written, gradients read, weights written: memory's rate is the optimizer's.
        double optimizer = (2.0 * STATES + 2 * BF16) * shape.parameters() / cluster.memoryBytesPerSecond();
        StepTime.Work work = new StepTime.Work(STAGE, shape, BF16, passes, optimizer, cluster.exchange(ranks), 1);
        double share = shape.parameters() / ranks;
        return new Training(StepTime.of(work), (2.0 * BF16 + STATES) * share, STATES * share);
    }

    /** Seconds in which work stands still for a checkpoint: it is copied to the host's memory and written from there. */
    double pause(Cluster cluster) {
        return savedBytes / cluster.copyBytesPerSecond();
    }

    /** Whether a GPU has room for it. */
    boolean fits(Cluster cluster) {
        return heldBytes <= cluster.memoryBytes();
    }
}
