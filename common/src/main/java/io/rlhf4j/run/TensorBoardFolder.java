package io.rlhf4j.run;

import io.rlhf4j.config.Step;
import io.rlhf4j.tensorboard.EventFile;
import java.time.Instant;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.hadoop.fs.Path;

/**
 * Metrics for TensorBoard: a directory for each step of the run, in which every flush adds a file. Files are never
 * appended to, so that any Hadoop file system will do.
 */
final class TensorBoardFolder {
    private final Path root;
    private final SmallFiles files;
    private int written;

    TensorBoardFolder(Path root, SmallFiles files) {
        this.root = root;
        this.files = files;
    }

    /** Adds rows of one step. */
    void add(Step step, List<MetricsRow> rows) {
        EventFile file = new EventFile(Instant.now());
        rows.stream()
                .sorted(Comparator.comparingLong(MetricsRow::position))
                .forEach(row -> file.scalars(Instant.parse(row.time()), row.position(), tagged(row)));
        write(step, file);
    }

    /** Takes back what is behind {@code position} of a step. */
    void cutAfter(Step step, long position) {
        EventFile file = new EventFile(Instant.now());
        file.restart(Instant.now(), position + 1);
        write(step, file);
    }

    private void write(Step step, EventFile file) {
        Instant now = Instant.now();
        String name = String.format(
                Locale.ROOT,
                "%s%010d.%09d.%04d",
                EventFile.NAME_PREFIX,
                now.getEpochSecond(),
                now.getNano(),
                written++);
        files.write(new Path(new Path(root, step.key()), name), file.bytes());
    }

    /** {@code train/loss}, {@code evaluation/reward}: TensorBoard groups by what stands before the slash. */
    private static Map<String, Double> tagged(MetricsRow row) {
        String series = row.series() + "/";
        Map<String, Double> tagged = new LinkedHashMap<>();
        row.values().forEach((name, value) -> tagged.put(name.startsWith(series) ? name : series + name, value));
        return tagged;
    }
}
