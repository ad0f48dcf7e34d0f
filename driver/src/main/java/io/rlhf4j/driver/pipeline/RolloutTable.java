package io.rlhf4j.driver.pipeline;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rlhf4j.data.Rollout;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.format.PlainFiles;
import io.rlhf4j.run.RunFolder;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;

/**
 * The rollouts of a run: a folder of Parquet files for each iteration, committed by a manifest that names them with their
 * hashes. Whatever an unfinished attempt left in a folder goes before the next one writes.
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

    /**
     * What makes the rollouts of an iteration whole.
     *
     * @param iteration whose they are
     * @param epoch which start of the run wrote them
     * @param origin of what they were made: whoever makes them of the same gets the same
     * @param seconds that making them took, by the names of metrics
     * @param files of the table, with their SHA-256
     */
    record Manifest(
            long iteration,
            long epoch,
            String origin,
            TreeMap<String, Double> seconds,
            TreeMap<String, String> files) {}

    /**
     * Committed rollouts, by source, key and sample.
     *
     * @param seconds that making them took, by the names of metrics
     */
    record Committed(List<Rollout> rollouts, Map<String, Double> seconds) {}

    /**
     * The manifest in the folder of an iteration; empty where nothing is committed there.
     *
     * @throws Rlhf4jException of kind DATA where it is damaged
     */
    static Optional<Manifest> manifest(RunFolder folder, Path iteration) throws IOException {
        Path path = new Path(iteration, MANIFEST);
        Optional<String> text = folder.files().read(path);
        try {
            return text.isEmpty() ? Optional.empty() : Optional.of(JSON.readValue(text.get(), Manifest.class));
        } catch (JsonProcessingException damaged) {
            throw Rlhf4jException.data("%s is damaged: %s".formatted(path, damaged.getOriginalMessage()), damaged);
        }
    }

    /** Writes the rollouts of an iteration in the place of earlier ones; they count once they are committed. */
    void write(long iteration, JavaRDD<Row> rows) throws IOException {
        Path path = folder.rollouts(iteration);
        folder.fence().pass(path, hadoop);
        PlainFiles.fileSystem(path, hadoop).delete(new Path(path, MANIFEST), false);
        session.createDataFrame(rows, RolloutSchema.TYPE)
                .write()
                .mode(SaveMode.Overwrite)
                .parquet(path.toString());
    }

    /**
     * Commits what was written.
     *
     * @param origin of what they were made
     */
    Committed commit(long iteration, String origin, Map<String, Double> seconds) throws IOException {
        Manifest manifest =
                new Manifest(iteration, folder.fence().epoch(), origin, new TreeMap<>(seconds), hashes(iteration));
        Path path = new Path(folder.rollouts(iteration), MANIFEST);
        folder.files().write(path, JSON.writeValueAsString(manifest));
        return new Committed(read(iteration, manifest), seconds);
    }

    /**
     * The committed rollouts of an iteration, if they were made of that and have all their bytes.
     *
     * @param origin of what they have to be made
     */
    Optional<Committed> find(long iteration, String origin) throws IOException {
        Optional<String> text = folder.files().read(new Path(folder.rollouts(iteration), MANIFEST));
        if (text.isEmpty()) {
            return Optional.empty();
        }
        try {
            Manifest manifest = JSON.readValue(text.get(), Manifest.class);
            return origin.equals(manifest.origin()) && hashes(iteration).equals(manifest.files())
                    ? Optional.of(new Committed(read(iteration, manifest), manifest.seconds()))
                    : Optional.empty();
        } catch (JsonProcessingException damaged) {
            return Optional.empty();
        }
    }

    private TreeMap<String, String> hashes(long iteration) throws IOException {
        Path path = folder.rollouts(iteration);
        TreeMap<String, String> hashes = new TreeMap<>();
        for (FileStatus file : PlainFiles.fileSystem(path, hadoop).listStatus(path)) {
            if (file.getPath().getName().endsWith(".parquet")) {
                hashes.put(file.getPath().getName(), Sha256.of(file.getPath(), hadoop));
            }
        }
        return hashes;
    }

    private List<Rollout> read(long iteration, Manifest manifest) throws IOException {
        List<Rollout> rollouts = new ArrayList<>();
        for (String name : manifest.files().keySet()) {
            RolloutFile.read(new Path(folder.rollouts(iteration), name), hadoop, rollouts::add);
        }
        rollouts.sort(RolloutPhase.ORDER);
        return rollouts;
    }
}
