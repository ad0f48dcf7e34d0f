package io.rlhf4j.config;

/** The course of the learning rate over the planned optimizer steps. */
public record ScheduleConfig(
        @Doc(value = "Shape after the warm-up: `cosine`, `linear` or `constant`.", preset = "cosine") Kind kind,
        @Doc(value = "Share of the steps in which the rate rises from 0.", preset = "0.03", range = "[0, 1]")
                double warmup,
        @Doc(value = "Lowest rate at the end, as a share of the highest.", preset = "0", range = "[0, 1]")
                double floor) {

    /** Shapes of the course. */
    public enum Kind {
        /** Half a cosine wave down. */
        COSINE,
        /** A straight line down. */
        LINEAR,
        /** No change. */
        CONSTANT
    }
}
