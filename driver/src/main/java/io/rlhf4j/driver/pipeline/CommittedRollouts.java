package io.rlhf4j.driver.pipeline;

import static org.apache.spark.sql.functions.col;

import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.format.PlainFiles;
import io.rlhf4j.run.RunFolder;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * The rollouts of a run for whoever wants to ask about them, while it goes on or afterwards: the files that the manifests of
 * committed iterations name, and no others. A plain look into the folder sees what a task has just written, too, and what one
 * that was tried again has left.
 */
public final class CommittedRollouts {
    private static final String ITERATION = "iteration";
    private static final Pattern FOLDER = Pattern.compile(ITERATION + "=(\\d{8,18})");

    private CommittedRollouts() {}

    /**
     * All committed rollouts: the columns of the table and, first, {@code iteration} (a long, from 0).
     *
     * @throws Rlhf4jException of kind DATA where a manifest is damaged, or a file that it names is gone
     */
    public static Dataset<Row> of(SparkSession session, RunFolder folder) throws IOException {
        Configuration hadoop = session.sparkContext().hadoopConfiguration();
        List<String> files = new ArrayList<>();
        for (Path iteration : iterations(folder.rollouts(), hadoop)) {
            Optional<RolloutTable.Manifest> manifest = RolloutTable.manifest(folder, iteration);
            if (manifest.isPresent()) {
                Set<String> there = new HashSet<>(names(iteration, hadoop));
                for (String name : manifest.get().files().keySet()) {
                    Path file = new Path(iteration, name);
                    requireThere(there.contains(name), file);
                    files.add(file.toString());
                }
            }
        }
        Dataset<Row> rows = files.isEmpty()
                ? session.createDataFrame(List.<Row>of(), RolloutSchema.TYPE.add(ITERATION, DataTypes.LongType))
                : session.read()
                        .schema(RolloutSchema.TYPE)
                        .option("basePath", folder.rollouts().toString())
                        .parquet(files.toArray(String[]::new));
        return rows.select(columns());
    }

    private static Column[] columns() {
        StructType table = RolloutSchema.TYPE;
        return Stream.concat(
                        Stream.of(col(ITERATION).cast(DataTypes.LongType).as(ITERATION)),
                        Arrays.stream(table.fieldNames()).map(name -> col(name)))
                .toArray(Column[]::new);
    }

    private static List<Path> iterations(Path rollouts, Configuration hadoop) throws IOException {
        return names(rollouts, hadoop).stream()
                .filter(FOLDER.asMatchPredicate())
                .sorted()
                .map(name -> new Path(rollouts, name))
                .toList();
    }

    /** What lies in a folder; nothing where there is none. */
    private static List<String> names(Path folder, Configuration hadoop) throws IOException {
        try {
            return Arrays.stream(PlainFiles.fileSystem(folder, hadoop).listStatus(folder))
                    .map(status -> status.getPath().getName())
                    .toList();
        } catch (FileNotFoundException none) {
            return List.of();
        }
    }

    private static void requireThere(boolean there, Path file) {
        if (!there) {
            throw Rlhf4jException.data(
                    ("%s: the manifest of its iteration names it, but there is no such file; a resumption of the run makes"
                                    + " the rollouts of an iteration again that it still needs")
                            .formatted(file));
        }
    }
}
