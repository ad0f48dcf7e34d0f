package io.rlhf4j.driver.pipeline;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Keeps what a run says, and may do something when so many iterations are done. */
final class Notes implements Progress {
    private final List<String> lines = new ArrayList<>();
    private final long at;
    private final Runnable action;

    Notes() {
        this(-1, () -> {});
    }

    /** Does {@code action} when that many steps or iterations are done. */
    Notes(long at, Runnable action) {
        this.at = at;
        this.action = action;
    }

    /** What was said so far. */
    List<String> lines() {
        return lines;
    }

    @Override
    public void begin(String phase, long done, long total) {}

    @Override
    public void advance(String phase, long done, Map<String, Double> metrics) {
        if (done == at) {
            action.run();
        }
    }

    @Override
    public void end(String phase) {}

    @Override
    public void note(String line) {
        lines.add(line);
    }
}
