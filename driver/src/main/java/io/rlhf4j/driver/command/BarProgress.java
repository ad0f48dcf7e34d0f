package io.rlhf4j.driver.command;

import io.rlhf4j.driver.pipeline.Progress;
import java.io.PrintStream;
import java.util.Map;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Progress as a bar on a terminal; what a user should know stands in lines above it. */
final class BarProgress implements Progress {
    private static final int WIDTH = 120;
    private static final int REFRESH_MILLIS = 200;

    private final PrintStream out;
    private final OpenPhases phases = new OpenPhases();
    private ProgressBar bar;

    BarProgress(PrintStream out) {
        this.out = out;
    }

    @Override
    public void begin(String phase, long done, long total) {
        phases.begin(phase, done, total);
        draw(new OpenPhases.Phase(phase, done, total));
    }

    private void draw(OpenPhases.Phase phase) {
        closeBar();
        bar = new ProgressBarBuilder()
                .setTaskName("%-8s".formatted(phase.name()))
                .setInitialMax(phase.total())
                .startsFrom(phase.done(), java.time.Duration.ZERO)
                .setStyle(ProgressBarStyle.ASCII)
                .setUpdateIntervalMillis(REFRESH_MILLIS)
                .setMaxRenderedLength(WIDTH)
                .setConsumer(new ConsoleProgressBarConsumer(out, WIDTH))
                .build();
    }

    @Override
    public void advance(String phase, long done, Map<String, Double> metrics) {
        phases.advance(phase, done);
        if (bar != null) {
            bar.setExtraMessage(" " + MetricsText.of(metrics));
            bar.stepTo(done);
        }
    }

    @Override
    public void end(String phase) {
        closeBar();
        phases.end(phase).ifPresent(this::draw);
    }

    @Override
    public void note(String line) {
        // The carriage return takes the bar's line; the bar is drawn again below.
        out.print(bar == null ? "" : "\r" + " ".repeat(WIDTH) + "\r");
        out.println("note: " + line);
    }

    private void closeBar() {
        if (bar != null) {
            bar.close();
            bar = null;
        }
    }
}
