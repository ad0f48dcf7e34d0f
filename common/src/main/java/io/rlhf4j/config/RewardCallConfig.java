package io.rlhf4j.config;

import java.time.Duration;

/** How a reward is called, and what it means that none came. */
public record RewardCallConfig(
        @Doc(value = "Time that one batch of responses, 32 at most, may take.", preset = "60s") Duration deadline,
        @Doc(value = "Calls after a first one that failed.", preset = "2", range = "[0, inf)") int retries,
        @Doc(
                        value =
                                "What a missing reward means: `fail` ends the job, `drop` leaves the sample out and counts it,"
                                        + " `constant` takes the value of `constant`.",
                        preset = "fail")
                Missing missing,
        @Doc(value = "The reward in the place of a missing one.", preset = "0") double constant) {

    /** What a missing reward means. */
    public enum Missing {
        /** The job ends. */
        FAIL,
        /** The sample is left out, and counted. */
        DROP,
        /** A declared constant is taken. */
        CONSTANT
    }
}
