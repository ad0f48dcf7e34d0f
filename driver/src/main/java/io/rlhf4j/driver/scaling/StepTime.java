package io.rlhf4j.driver.scaling;

/**
 * An optimizer step of one model at a ZeRO stage (Rajbhandari et al. 2020) in the engine's own order: stages 0 and 1 exchange
 * gradients when the backward pass is over; stage 2 sends a unit's gradients while it computes the next unit's; stage 3
 * gathers, besides, the weights of the next unit while it computes with one. One micro-batch is taken.
 *
 * @param compute seconds of forward and backward pass
 * @param exchange seconds that a rank waits for the network
 * @param optimizer seconds of the optimizer
 * @param sentBytes that a rank sends
 */
public record StepTime(double compute, double exchange, double optimizer, double sentBytes) {
    /** The backward pass takes two of three parts of the operations. */
    private static final double FORWARD = 1.0 / 3;

    /**
     * What a step is made of.
     *
     * @param stage 0 to 3
     * @param shape of the model
     * @param elementBytes of a weight and of a gradient on the wire
     * @param passesSeconds of forward and backward pass alone
     * @param optimizerSeconds of the optimizer over all parameters
     * @param overlap how much of an exchange goes on while the rank computes: 1 where the network has hardware of its own, 0
     *     where it takes the processor that computes
     */
    public record Work(
            int stage,
            Shape shape,
            int elementBytes,
            double passesSeconds,
            double optimizerSeconds,
            Exchange exchange,
            double overlap) {}

    /** The time of a step. */
    public static StepTime of(Work work) {
        int units = work.shape().units();
        double unitBytes = work.shape().parameters() / units * work.elementBytes();
        double once = work.exchange().ranks() == 1 ? 0 : work.exchange().seconds(unitBytes);
        double forward = FORWARD * work.passesSeconds() / units;
        double backward = work.passesSeconds() / units - forward;
        double waited =
                switch (work.stage()) {
                    case 0, 1 -> 2 * units * once;
                    case 2 -> hidden(units, backward, once, work.overlap()) + units * once;
                    case 3 ->
                        hidden(units, forward, once, work.overlap())
                                + hidden(units, backward, 2 * once, work.overlap());
                    default -> throw new IllegalArgumentException("there is no ZeRO stage " + work.stage());
                };
        double states = work.stage() == 0 ? 1 : 1.0 / work.exchange().ranks();
        return new StepTime(
                work.passesSeconds(), waited, work.optimizerSeconds() * states, sentBytes(work, units * unitBytes));
    }

    /**
     * The exchanges of a pass, of which all but one go on while another unit is computed.
     *
     * @param compute seconds of a unit
     * @param exchange seconds of a unit's exchange
     */
    private static double hidden(int units, double compute, double exchange, double overlap) {
        double shown = exchange - overlap * Math.min(compute, exchange);
        return (units - 1) * shown + exchange;
    }

    /** 2 s P (N-1)/N at stages 0 and 1, the same at 2 and half as much again at 3. */
    private static double sentBytes(Work work, double bytes) {
        return (work.stage() == 3 ? 3 : 2) * work.exchange().sent(bytes);
    }

    /** All of it. */
    public double seconds() {
        return compute + exchange + optimizer;
    }
}
