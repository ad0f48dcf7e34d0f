package io.rlhf4j.run;

import io.rlhf4j.error.Rlhf4jException;
import java.time.Instant;

/**
 * How a run stands, for schedulers and people.
 *
 * @param state running, done, failed or interrupted
 * @param exitCode the process's exit code; -1 while it runs
 * @param command what was asked for: {@code pipeline}, {@code ppo} ...
 * @param message the error, or empty
 * @param process process number of the driver
 * @param epoch which start of the run this is, from 1: see {@link Fence}; 0 where nobody counts
 * @param started when this start began, ISO 8601
 * @param updated when this was written, ISO 8601
 */
public record RunStatus(
        State state,
        int exitCode,
        String command,
        String message,
        long process,
        long epoch,
        String started,
        String updated) {
    /** How a run stands. */
    public enum State {
        /** It goes on. */
        RUNNING,
        /** It came to its end. */
        DONE,
        /** It ended with an error. */
        FAILED,
        /** A user or scheduler stopped it. */
        INTERRUPTED
    }

    /** A start of a run that begins now. */
    public static RunStatus running(String command, long epoch) {
        String now = Instant.now().toString();
        return new RunStatus(
                State.RUNNING, -1, command, "", ProcessHandle.current().pid(), epoch, now, now);
    }

    /** This run, at its end. */
    public RunStatus done() {
        return ended(State.DONE, 0, "");
    }

    /** This run, ended by {@code failure}. */
    public RunStatus failed(Rlhf4jException failure) {
        State end = failure.kind() == io.rlhf4j.error.ErrorKind.INTERRUPTED ? State.INTERRUPTED : State.FAILED;
        return ended(end, failure.kind().exitCode(), failure.getMessage());
    }

    private RunStatus ended(State end, int code, String why) {
        return new RunStatus(
                end, code, command, why, process, epoch, started, Instant.now().toString());
    }
}
