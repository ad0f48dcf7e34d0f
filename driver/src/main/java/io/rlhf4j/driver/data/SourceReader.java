package io.rlhf4j.driver.data;

import io.rlhf4j.config.SourceConfig;
import io.rlhf4j.config.SourceConfig.Format;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.spark.SparkThrowable;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;

/** Reads the rows of a source as JSON objects, each with the place where it lies. */
final class SourceReader {
    private static final String VIEW = "source";
    /** Spark takes other names for a fault of syntax. */
    private static final Pattern TABLE_NAME = Pattern.compile("\\w+(\\.\\w+){0,2}");

    private final SparkSession session;

    SourceReader(SparkSession session) {
        this.session = session;
    }

    /** The rows of {@code source}; lines that are no JSON are among them. */
    JavaRDD<RawRow> read(SourceConfig source) {
        Format format = format(source);
        JavaRDD<RawRow> stored =
                switch (format) {
                    case JSONL -> lines(source);
                    case PARQUET -> parquet(source);
                    case TABLE -> byContent(session.table(source.path()).toJSON(), source.label());
                    case AUTO -> throw new IllegalStateException("a format has been chosen by now");
                };
        return source.sql().isPresent() ? reshaped(source, stored, format) : stored;
    }

    private Format format(SourceConfig source) {
        if (source.format() != Format.AUTO) {
            return source.format();
        }
        String path = source.path().toLowerCase(Locale.ROOT);
        if (TABLE_NAME.matcher(path).matches() && session.catalog().tableExists(source.path())) {
            return Format.TABLE;
        }
        String name = files(source).get(0).getPath().getName().toLowerCase(Locale.ROOT);
        if (name.endsWith(".parquet")) {
            return Format.PARQUET;
        }
        if (name.matches(".*\\.(jsonl|json|ndjson)(\\.(gz|bz2|zst|lz4|snappy|deflate))?")) {
            return Format.JSONL;
        }
        throw Rlhf4jException.configuration(
                "data.sources: '%s' (%s) has no ending that says what it is; set format to jsonl, parquet or table"
                        .formatted(source.path(), name));
    }

    /** Every file by itself, so that a line knows its number whatever Spark does with the files. */
    private JavaRDD<RawRow> lines(SourceConfig source) {
        JavaSparkContext context = new JavaSparkContext(session.sparkContext());
        List<JavaRDD<RawRow>> files = new ArrayList<>();
        List<FileStatus> found = files(source);
        for (FileStatus file : found) {
            String name = name(file, found);
            files.add(context.textFile(file.getPath().toString(), context.defaultParallelism())
                    .zipWithIndex()
                    .filter(line -> !line._1().isBlank())
                    .map(line -> new RawRow(name + ":" + (line._2() + 1), line._1())));
        }
        return files.size() == 1 ? files.get(0) : union(context, files);
    }

    @SuppressWarnings("unchecked") // Spark's union takes an array of a generic type
    private static JavaRDD<RawRow> union(JavaSparkContext context, List<JavaRDD<RawRow>> files) {
        return context.union(files.toArray(JavaRDD[]::new));
    }

    private JavaRDD<RawRow> parquet(SourceConfig source) {
        List<FileStatus> found = files(source);
        String[] paths = found.stream().map(file -> file.getPath().toString()).toArray(String[]::new);
        Dataset<Row> rows = session.read().parquet(paths);
        return rows.select(
                        functions.col("_metadata.file_name"),
                        functions.col("_metadata.row_index"),
                        functions.to_json(functions.struct(functions.col("*"))))
                .javaRDD()
                .map(row -> new RawRow(row.getString(0) + ":" + (row.getLong(1) + 1), row.getString(2)));
    }

    /** Rows without a place of their own: equal rows are one row. */
    private static JavaRDD<RawRow> byContent(Dataset<String> rows, String label) {
        return rows.distinct()
                .javaRDD()
                .map(json -> new RawRow("%s:%016x".formatted(label, StableHash.of(json)), json));
    }

    /** What the source's SELECT makes of its rows. Damaged lines pass it by, on their way to quarantine. */
    private JavaRDD<RawRow> reshaped(SourceConfig source, JavaRDD<RawRow> stored, Format format) {
        JavaRDD<RawRow> damaged = stored.filter(row -> !isObject(row));
        Dataset<Row> view = format == Format.JSONL
                ? session.read()
                        .json(session.createDataset(
                                stored.filter(SourceReader::isObject)
                                        .map(RawRow::json)
                                        .rdd(),
                                Encoders.STRING()))
                : format == Format.PARQUET
                        ? session.read()
                                .parquet(files(source).stream()
                                        .map(file -> file.getPath().toString())
                                        .toArray(String[]::new))
                        : session.table(source.path());
        view.createOrReplaceTempView(VIEW);
        return byContent(selected(source).toJSON(), source.label()).union(damaged);
    }

    /** A SELECT is checked when it is asked for, before any row is read. */
    private Dataset<Row> selected(SourceConfig source) {
        String sql = source.sql().orElseThrow();
        try {
            return session.sql(sql);
        } catch (Exception refused) {
            if (refused instanceof SparkThrowable) {
                throw new Rlhf4jException(
                        ErrorKind.CONFIGURATION,
                        "data.sources: Spark refuses the sql of source '%s': %s"
                                .formatted(source.label(), refused.getMessage().strip()),
                        refused);
            }
            throw refused;
        }
    }

    private static boolean isObject(RawRow row) {
        try {
            RowFields.parse(row.json());
            return true;
        } catch (UnusableRowException damaged) {
            return false;
        }
    }

    private List<FileStatus> files(SourceConfig source) {
        List<FileStatus> files = SourceFiles.of(source, session.sparkContext().hadoopConfiguration());
        if (files.isEmpty()) {
            throw Rlhf4jException.data(
                    "data.sources: '%s' is no file, folder or table with rows in it (looked for files at %s)"
                            .formatted(source.path(), new Path(source.path())));
        }
        return files;
    }

    /** The file's path behind what all files have in common, so that moving a folder changes no row. */
    private static String name(FileStatus file, List<FileStatus> all) {
        Path parent = file.getPath().getParent();
        while (parent != null && !all.stream().allMatch(isBelow(parent))) {
            parent = parent.getParent();
        }
        return parent == null
                ? file.getPath().getName()
                : parent.toUri().relativize(file.getPath().toUri()).getPath();
    }

    private static java.util.function.Predicate<FileStatus> isBelow(Path parent) {
        String prefix = parent.toUri().getPath() + "/";
        return file -> file.getPath().toUri().getPath().startsWith(prefix);
    }
}
