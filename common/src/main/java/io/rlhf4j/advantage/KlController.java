package io.rlhf4j.advantage;

/** The weight of the KL penalty from iteration to iteration. */
public sealed interface KlController {
    /** The weight now. */
    double beta();

    /**
     * The controller after an iteration.
     *
     * @param measured divergence of the iteration, in the unit of the target
     * @param samples of the iteration
     */
    KlController after(double measured, long samples);

    /** The weight never changes. */
    record Fixed(double beta) implements KlController {
        @Override
        public KlController after(double measured, long samples) {
            return this;
        }
    }

    /**
     * The weight follows the divergence (Ziegler et al. 2019, section 2.2): {@code beta *= 1 + clip(measured / target - 1,
     * +-0.2) samples / horizon}.
     */
    record Adaptive(double beta, double target, double horizon) implements KlController {
        @Override
        public KlController after(double measured, long samples) {
            double error = Math.max(-0.2, Math.min(0.2, measured / target - 1));
            return new Adaptive(beta * (1 + error * samples / horizon), target, horizon);
        }
    }
}
