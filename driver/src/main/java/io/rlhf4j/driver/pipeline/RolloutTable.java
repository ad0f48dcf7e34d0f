package io.rlhf4j.driver.pipeline;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.rlhf4j.data.Rollout;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.format.PlainFiles;
import io.rlhf4j.run.RunFolder;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;

/**
 * The rollouts of a run: a folder of Parquet files for each iteration, committed by a manifest that names them. Whatever an
 * unfinished attempt left in a folder goes before the next one writes.
 */
final class RolloutTable {
    /** The underscore hides it from readers of the table. */
    private static final String MANIFEST = "_manifest.json";

    private static final ObjectMapper JSON = new ObjectMapper();

    private final SparkSession session;
    private final RunFolder folder;
    private final Configuration hadoop;

    RolloutTable(SparkSession session, RunFolder folder) {
        this.session = session;
        this.folder = folder;
        this.hadoop = session.sparkContext().hadoopConfiguration();
    }

    /** The files of one iteration, and which start of the run wrote them. */
    record Manifest(long iteration, long epoch, List<String> files) {}

    /** Writes and commits the rollouts of an iteration, in the place of earlier ones. */
    void write(long iteration, JavaRDD<Row> rows) throws IOException {
        Path path = folder.rollouts(iteration);
        folder.fence().pass(path, hadoop);
        PlainFiles.fileSystem(path, hadoop).delete(new Path(path, MANIFEST), false);
        session.createDataFrame(rows, RolloutSchema.TYPE)
                .write()
                .mode(SaveMode.Overwrite)
                .parquet(path.toString());
        List<String> names = Stream.of(PlainFiles.fileSystem(path, hadoop).listStatus(path))
                .map(FileStatus::getPath)
                .map(Path::getName)
                .filter(name -> name.endsWith(".parquet"))
                .sorted()
                .toList();
        Manifest manifest = new Manifest(iteration, folder.fence().epoch(), names);
        folder.files().write(new Path(path, MANIFEST), JSON.writeValueAsString(manifest));
    }

    /** The committed rollouts of an iteration, by source, key and sample. */
    List<Rollout> read(long iteration) throws IOException {
        Path path = folder.rollouts(iteration);
        String text = folder.files()
                .read(new Path(path, MANIFEST))
                .orElseThrow(() -> Rlhf4jException.data(path + " has no manifest: these rollouts were never finished"));
        String[] files = JSON.readValue(text, Manifest.class).files().stream()
                .map(name -> new Path(path, name).toString())
                .toArray(String[]::new);
        List<Rollout> rollouts = new ArrayList<>();
        for (Row row : session.read().schema(RolloutSchema.TYPE).parquet(files).collectAsList()) {
            rollouts.add(RolloutSchema.rollout(row));
        }
        rollouts.sort(Comparator.comparing(Rollout::source)
                .thenComparing(Rollout::key)
                .thenComparing(Rollout::sample));
        return rollouts;
    }
}
