package io.rlhf4j.driver.plan;

/** When memory is held, within a step. */
public enum Phase {
    /** All the time. */
    ALWAYS(""),
    /** While answers are sampled, and scored where tasks score them. */
    ROLLOUT("rollout"),
    /** While the ranks train, and score where they score. */
    UPDATE("update");

    private final String label;

    Phase(String label) {
        this.label = label;
    }

    /** For a table; empty for what is held all the time. */
    String label() {
        return label;
    }
}
