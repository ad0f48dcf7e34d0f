package io.rlhf4j.run;

import io.rlhf4j.config.Step;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.fs.Path;

/**
 * The metrics of a run. Each moment stands in it once: what a resumed run measures again takes the place of what was
 * measured before. The file is written whole (object stores cannot append), at most once in a while and on {@link #flush},
 * which the run calls before it commits a checkpoint; so no committed step lacks its metrics.
 */
public final class MetricsLog implements AutoCloseable {
    private static final Duration PAUSE = Duration.ofSeconds(2);

    private final Path path;
    private final SmallFiles files;
    private final TensorBoardFolder tensorBoard;
    private final List<MetricsRow> rows;
    private final List<MetricsRow> untold = new ArrayList<>();
    private Instant written = Instant.EPOCH;
    private boolean changed;

    private MetricsLog(Path path, SmallFiles files, TensorBoardFolder tensorBoard, List<MetricsRow> rows) {
        this.path = path;
        this.files = files;
        this.tensorBoard = tensorBoard;
        this.rows = rows;
    }

    static MetricsLog open(Path path, SmallFiles files, TensorBoardFolder tensorBoard) throws IOException {
        List<MetricsRow> rows = new ArrayList<>();
        files.read(path).ifPresent(text -> text.lines()
                .filter(line -> !line.isBlank())
                .forEach(line -> rows.add(RunJson.read(line, MetricsRow.class, path))));
        return new MetricsLog(path, files, tensorBoard, rows);
    }

    /** All rows, in the order in which they came. */
    public synchronized List<MetricsRow> rows() {
        return List.copyOf(rows);
    }

    /** Adds numbers; the ones of the same step, series and position are replaced. */
    public synchronized void append(Step step, String series, long position, Map<String, Double> values) {
        MetricsRow row = new MetricsRow(step, series, position, Instant.now().toString(), values);
        rows.removeIf(row::sameMoment);
        rows.add(row);
        untold.add(row);
        changed = true;
        if (Instant.now().isAfter(written.plus(PAUSE))) {
            write();
        }
    }

    /** Forgets what was measured behind {@code position} of a step: a checkpoint of that position was resumed. */
    public synchronized void cutAfter(Step step, long position) {
        if (rows.removeIf(row -> row.step() == step && row.position() > position)) {
            changed = true;
            write();
            untold.removeIf(row -> row.step() == step && row.position() > position);
            tensorBoard.cutAfter(step, position);
        }
    }

    /** Writes what is not written yet, and adds to TensorBoard's files what is new. */
    public synchronized void flush() {
        write();
        for (Step step : Step.values()) {
            List<MetricsRow> news =
                    untold.stream().filter(row -> row.step() == step).toList();
            if (!news.isEmpty()) {
                tensorBoard.add(step, news);
            }
        }
        untold.clear();
    }

    private void write() {
        if (!changed) {
            return;
        }
        StringBuilder text = new StringBuilder();
        rows.forEach(row -> text.append(RunJson.writeLine(row)).append('\n'));
        files.write(path, text.toString());
        changed = false;
        written = Instant.now();
    }

    @Override
    public void close() {
        flush();
    }
}
