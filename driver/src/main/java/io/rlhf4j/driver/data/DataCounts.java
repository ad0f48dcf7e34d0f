package io.rlhf4j.driver.data;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.countDistinct;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.regexp_replace;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.xxhash64;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.SourceConfig;
import io.rlhf4j.driver.data.DataReport.SourceReport;
import io.rlhf4j.error.Rlhf4jException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/** Counts what became of the rows, and stops a run whose rows are not what they should be. */
final class DataCounts {
    private static final int EXAMPLES = 3;

    private final RunConfig config;
    private final Dataset<Row> prepared;

    DataCounts(RunConfig config, Dataset<Row> prepared) {
        this.config = config;
        this.prepared = prepared;
    }

    DataReport report() {
        List<Row> counted = prepared.groupBy("source_index", "status", "use", "reason")
                .count()
                .collectAsList();
        Map<Integer, Long> duplicates = duplicates();
        Map<Integer, Long> contradictions = contradictions();
        List<SourceReport> sources = new ArrayList<>();
        for (int index = 0; index < config.data().sources().size(); index++) {
            sources.add(
                    source(index, counted, duplicates.getOrDefault(index, 0L), contradictions.getOrDefault(index, 0L)));
        }
        return new DataReport(snapshot(), sources);
    }

    private SourceReport source(int index, List<Row> counted, long duplicates, long contradictions) {
        Map<String, Long> used = new TreeMap<>();
        Map<String, Long> dropped = new TreeMap<>();
        Map<String, Long> quarantined = new TreeMap<>();
        long read = 0;
        for (Row row : counted) {
            if (row.getInt(0) == index) {
                long rows = row.getLong(4);
                read += rows;
                switch (row.getString(1)) {
                    case PreparedSchema.USED -> used.merge(row.getString(2), rows, Long::sum);
                    case PreparedSchema.DROPPED -> dropped.merge(row.getString(3), rows, Long::sum);
                    default -> quarantined.merge(row.getString(3), rows, Long::sum);
                }
            }
        }
        SourceConfig source = config.data().sources().get(index);
        return new SourceReport(source.label(), read, used, dropped, quarantined, duplicates, contradictions);
    }

    private Map<Integer, Long> duplicates() {
        return bySource(used().groupBy("source_index", "use", "content")
                .agg(count(lit(1)).as("copies"))
                .filter(col("copies").gt(1))
                .groupBy("source_index")
                .agg(sum(col("copies").minus(1))));
    }

    /** Pairs that stand there both ways round have one number in common, and two contents. */
    private Map<Integer, Long> contradictions() {
        return bySource(used().filter(col("pair").isNotNull())
                .groupBy("source_index", "pair")
                .agg(countDistinct("content").as("directions"))
                .filter(col("directions").gt(1))
                .groupBy("source_index")
                .agg(count(lit(1))));
    }

    private static Map<Integer, Long> bySource(Dataset<Row> counts) {
        return counts.collectAsList().stream().collect(Collectors.toMap(row -> row.getInt(0), row -> row.getLong(1)));
    }

    private Dataset<Row> used() {
        return prepared.filter(col("status").equalTo(PreparedSchema.USED));
    }

    /** A sum, so that the order and division of the rows do not matter. */
    private String snapshot() {
        Row row = used().agg(
                        count(lit(1)),
                        sum(xxhash64(
                                        col("id"),
                                        col("use"),
                                        col("key"),
                                        col("ids"),
                                        col("trained"),
                                        col("rejected_ids"),
                                        col("prompt_length"),
                                        col("margin"),
                                        col("reference"))
                                .cast("decimal(38,0)")))
                .first();
        return "%016x".formatted(StableHash.of(row.getLong(0), String.valueOf(row.get(1))));
    }

    /** Stops before training where a source is not what its mapping says. */
    void requireFewUnusable(DataReport report) {
        for (int index = 0; index < report.sources().size(); index++) {
            SourceReport source = report.sources().get(index);
            long unusable = source.quarantined().values().stream()
                    .mapToLong(Long::longValue)
                    .sum();
            double share = source.read() == 0 ? 0 : (double) unusable / source.read();
            if (share > config.data().quarantineShare()) {
                throw Rlhf4jException.data(String.format(
                        Locale.ROOT,
                        "source '%s': %d of %d rows (%.1f %%) cannot be used, more than data.quarantine_share allows (%.1f %%):"
                                + " %s; all are in the table data/quarantine of the run's folder. Do path and columns of the"
                                + " source fit its rows?",
                        source.source(),
                        unusable,
                        source.read(),
                        100 * share,
                        100 * config.data().quarantineShare(),
                        examples(index)));
            }
        }
    }

    private String examples(int sourceIndex) {
        return prepared
                .filter(col("status")
                        .equalTo(PreparedSchema.UNUSABLE)
                        .and(col("source_index").equalTo(sourceIndex)))
                .select("location", "reason")
                .orderBy("location")
                .limit(EXAMPLES)
                .collectAsList()
                .stream()
                .map(row -> row.getString(0) + ": " + row.getString(1))
                .collect(Collectors.joining("; "));
    }

    /** Refuses prompts that a step both trains on and is evaluated with. */
    void requireNoLeak() {
        if (config.data().allowLeakage()) {
            return;
        }
        Dataset<Row> both = used().withColumn("step", regexp_replace(col("use"), RowUse.HELD_OUT, ""))
                .groupBy("step", "prompt_hash")
                .agg(
                        countDistinct("use").as("uses"),
                        org.apache.spark.sql.functions.min("location").as("location"))
                .filter(col("uses").gt(1));
        long leaks = both.count();
        if (leaks > 0) {
            String places = both.orderBy("location").limit(EXAMPLES).collectAsList().stream()
                    .map(row -> row.getString(0) + " " + row.getString(row.fieldIndex("location")))
                    .collect(Collectors.joining(", "));
            throw Rlhf4jException.data(
                    ("%d prompts stand both in the rows trained on and in those held out (%s): the evaluation"
                                    + " would be of rows seen in training; name a column in columns.group by which equal prompts stay"
                                    + " together, or set data.allow_leakage")
                            .formatted(leaks, places));
        }
    }
}
