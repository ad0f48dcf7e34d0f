package io.rlhf4j.driver.pipeline;

import java.util.Map;

/** Who hears how a run goes: a bar on a terminal, lines in a log, a test. Called by one thread at a time. */
public interface Progress {
    /**
     * A phase begins or goes on.
     *
     * @param phase {@code data}, {@code sft}, {@code reward}, {@code ppo}, {@code evaluate}, {@code export}
     * @param done units (steps, iterations) done by an earlier start of the run
     * @param total units in all
     */
    void begin(String phase, long done, long total);

    /**
     * Units of the phase are done.
     *
     * @param done how many in all
     * @param metrics the newest numbers, by the names of metrics.jsonl
     */
    void advance(String phase, long done, Map<String, Double> metrics);

    /** The phase is done. */
    void end(String phase);

    /** Something a user should know: what was dropped, resumed, retried. One line. */
    void note(String line);

    /** Hears nothing. */
    static Progress silent() {
        return new Progress() {
            @Override
            public void begin(String phase, long done, long total) {}

            @Override
            public void advance(String phase, long done, Map<String, Double> metrics) {}

            @Override
            public void end(String phase) {}

            @Override
            public void note(String line) {}
        };
    }
}
