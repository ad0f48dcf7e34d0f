package io.rlhf4j.workers.runtime;

import java.io.Serializable;

/**
 * Which state something in memory is: what is used has to be exactly what the job at hand asks for.
 *
 * @param run the run's folder
 * @param generation changes whenever a driver (re)starts from a checkpoint, so that nothing of an abandoned attempt is
 *     taken for the state it went on from
 * @param version optimizer steps or iterations behind it
 */
public record StateId(String run, String generation, long version) implements Serializable {
    /** A state that nothing is in. */
    public static final StateId NOTHING = new StateId("", "", -1);

    /** The state after {@code steps} more. */
    public StateId later(long steps) {
        return new StateId(run, generation, version + steps);
    }
}
