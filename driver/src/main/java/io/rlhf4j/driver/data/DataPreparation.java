package io.rlhf4j.driver.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.SourceConfig;
import io.rlhf4j.config.Step;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.run.RunFolder;
import io.rlhf4j.run.SmallFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.SerializableConfiguration;

/**
 * Prepares the rows of a run once: reads the sources, maps, divides and tokenizes them, and keeps the result in the run's
 * folder as a table, from which every step reads. A run that goes on uses the rows that it began with.
 */
public final class DataPreparation {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final SparkSession session;
    private final RunConfig config;
    private final Path folder;
    private final Path manifest;
    private final Configuration hadoop;
    private final SmallFiles files;

    /** The preparation of the run that {@code config} names, in its folder. */
    public DataPreparation(SparkSession session, RunConfig config, RunFolder run) {
        this.session = session;
        this.config = config;
        this.hadoop = session.sparkContext().hadoopConfiguration();
        this.folder = run.data();
        this.manifest = run.dataManifest();
        this.files = run.files();
    }

    /**
     * The prepared rows; made now if the run has none yet.
     *
     * @throws Rlhf4jException of kind DATA where too many rows are unusable, of kind CONFIGURATION where the run was begun
     *     with other sources or another tokenizer
     */
    public PreparedData prepare() {
        Optional<DataManifest> before = before();
        return open(before.isPresent() ? before.get() : make(limits()));
    }

    /**
     * Holds what is asked for against what an earlier start of the run has prepared; writes nothing.
     *
     * @throws Rlhf4jException of kind CONFIGURATION where they differ
     */
    public void requireFitting() {
        before();
    }

    private Optional<DataManifest> before() {
        Optional<DataManifest> before = manifest();
        if (before.isPresent() && !before.get().asked().equals(asked(limits()))) {
            throw Rlhf4jException.configuration(
                    ("the rows of run '%s' were prepared from other sources, with another tokenizer or other limits;"
                                    + " give the run another name, or remove %s to prepare them again (checkpoints that were"
                                    + " trained on the old rows stay)")
                            .formatted(config.name(), folder));
        }
        return before;
    }

    private DataManifest make(EnumMap<Step, RowLimits> limits) {
        if (config.data().sources().isEmpty()) {
            throw Rlhf4jException.configuration("data.sources is empty: there is nothing to train on");
        }
        Path table = new Path(folder, "prepared");
        Dataset<Row> rows = session.createDataFrame(allRows(limits), PreparedSchema.TYPE);
        rows.write().mode(SaveMode.Overwrite).parquet(table.toString());
        List<String> names = parquetFiles(table);
        Dataset<Row> prepared = read(names);
        DataCounts counts = new DataCounts(config, prepared);
        DataReport report = counts.report();
        keepQuarantined(prepared, report);
        counts.requireFewUnusable(report);
        counts.requireNoLeak();
        DataManifest made = new DataManifest(asked(limits), names, report);
        try {
            files.write(manifest, JSON.writeValueAsString(made));
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException("a manifest of names and numbers cannot be written", impossible);
        }
        return made;
    }

    private JavaRDD<Row> allRows(EnumMap<Step, RowLimits> limits) {
        SourceReader reader = new SourceReader(session);
        String text = ConfigFile.write(config);
        JavaRDD<Row> all = null;
        for (int index = 0; index < config.data().sources().size(); index++) {
            SourceConfig source = config.data().sources().get(index);
            JavaRDD<RawRow> raw = limited(reader.read(source), source);
            JavaRDD<Row> rows =
                    raw.mapPartitions(new PrepareRows(text, index, limits, new SerializableConfiguration(hadoop)));
            all = all == null ? rows : all.union(rows);
        }
        return all;
    }

    /** The rows with the lowest hashes: as good as drawn, and the same whenever the source is the same. */
    private JavaRDD<RawRow> limited(JavaRDD<RawRow> rows, SourceConfig source) {
        if (source.limit() == 0) {
            return rows;
        }
        long seed = config.seed();
        List<Long> lowest = rows.map(row -> StableHash.of("limit", row.location(), seed))
                .takeOrdered(Math.toIntExact(source.limit()));
        if (lowest.size() < source.limit()) {
            return rows;
        }
        long bound = lowest.get(lowest.size() - 1);
        return rows.filter(row -> StableHash.of("limit", row.location(), seed) <= bound);
    }

    private void keepQuarantined(Dataset<Row> prepared, DataReport report) {
        if (report.sources().stream().anyMatch(source -> !source.quarantined().isEmpty())) {
            prepared.filter(prepared.col("status").equalTo(PreparedSchema.UNUSABLE))
                    .select("source", "location", "reason", "raw")
                    .write()
                    .mode(SaveMode.Overwrite)
                    .parquet(new Path(folder, "quarantine").toString());
        }
    }

    private PreparedData open(DataManifest manifest) {
        return new PreparedData(read(manifest.files()), config.data().sources(), manifest.report());
    }

    /** Only the files that the manifest names: whatever else lies in the folder was never finished. */
    private Dataset<Row> read(List<String> names) {
        String[] paths = names.stream()
                .map(name -> new Path(new Path(folder, "prepared"), name).toString())
                .toArray(String[]::new);
        return session.read().schema(PreparedSchema.TYPE).parquet(paths);
    }

    private List<String> parquetFiles(Path table) {
        try {
            return new ArrayList<>(Arrays.stream(table.getFileSystem(hadoop).listStatus(table))
                    .map(FileStatus::getPath)
                    .map(Path::getName)
                    .filter(name -> name.endsWith(".parquet"))
                    .sorted()
                    .toList());
        } catch (IOException unreadable) {
            throw new UncheckedIOException("cannot list " + table, unreadable);
        }
    }

    private Optional<DataManifest> manifest() {
        try {
            Optional<String> text = files.read(manifest);
            return text.isEmpty() ? Optional.empty() : Optional.of(JSON.readValue(text.get(), DataManifest.class));
        } catch (JsonProcessingException damaged) {
            throw Rlhf4jException.data(
                    "%s is damaged: %s; remove %s to prepare the rows again"
                            .formatted(manifest, damaged.getOriginalMessage(), folder),
                    damaged);
        } catch (IOException unreadable) {
            throw new UncheckedIOException("cannot read " + manifest, unreadable);
        }
    }

    private EnumMap<Step, RowLimits> limits() {
        try {
            return RowLimits.of(config, hadoop);
        } catch (IOException unreadable) {
            throw new UncheckedIOException("cannot read the config.json of a model", unreadable);
        }
    }

    private String asked(EnumMap<Step, RowLimits> limits) {
        // Models that read whatever the configuration allows change nothing: where a run asks for longer ones, it says
        // so.
        EnumMap<Step, RowLimits> narrower = new EnumMap<>(limits);
        narrower.values().removeIf(RowLimits.of(config.data())::equals);
        List<Object> asked = new ArrayList<>(List.of(
                ConfigFile.write(config.data()),
                config.models().tokenizerOrActor(),
                config.models().chatTemplate().orElse(""),
                config.sft().trainOnPrompt(),
                config.seed()));
        if (!narrower.isEmpty()) {
            asked.add(narrower.toString());
        }
        return "%016x".formatted(StableHash.of(asked.toArray()));
    }
}
