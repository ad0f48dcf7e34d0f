package io.rlhf4j.driver.command;

import io.rlhf4j.driver.pipeline.Progress;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;

/** Progress as plain lines, for logs: the first, the last, and one every few seconds between. */
final class LineProgress implements Progress {
    private static final Duration PAUSE = Duration.ofSeconds(5);

    private final PrintStream out;
    private Instant last = Instant.EPOCH;
    private final OpenPhases phases = new OpenPhases();

    LineProgress(PrintStream out) {
        this.out = out;
    }

    @Override
    public void begin(String phase, long done, long total) {
        phases.begin(phase, done, total);
        last = Instant.EPOCH;
        out.println("%s: begins%s".formatted(phase, done == 0 ? "" : ", %d of %d done before".formatted(done, total)));
    }

    @Override
    public void advance(String phase, long done, Map<String, Double> metrics) {
        Instant now = Instant.now();
        long total = phases.advance(phase, done).total();
        if (done < total && now.isBefore(last.plus(PAUSE))) {
            return;
        }
        last = now;
        out.println("%s: %d/%d %s"
                .formatted(phase, done, total, MetricsText.of(metrics))
                .strip());
    }

    @Override
    public void end(String phase) {
        phases.end(phase);
        out.println(phase + ": done");
    }

    @Override
    public void note(String line) {
        out.println("note: " + line);
    }
}
