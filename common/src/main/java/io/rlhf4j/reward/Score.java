package io.rlhf4j.reward;

import java.util.Map;

/** What a {@link Reward} says of one answer: a number, or why there is none. */
public sealed interface Score {
    /**
     * The answer's worth.
     *
     * @param value finite
     * @param parts of the value by name, for metrics and the rollout table; may be empty
     */
    record Given(double value, Map<String, Double> parts) implements Score {
        public Given {
            parts = Map.copyOf(parts);
        }
    }

    /**
     * There is no score.
     *
     * @param reason in a clause, for logs and reports
     */
    record Missing(String reason) implements Score {}

    /** A score without parts. A value that is not finite is a missing score. */
    static Score of(double value) {
        return Double.isFinite(value) ? new Given(value, Map.of()) : new Missing("the score is " + value);
    }

    /** No score, for this reason. */
    static Score missing(String reason) {
        return new Missing(reason);
    }
}
