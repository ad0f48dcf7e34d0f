package io.rlhf4j.driver.data;

import static org.apache.spark.sql.functions.col;

import io.rlhf4j.config.SourceConfig;
import io.rlhf4j.config.Step;
import io.rlhf4j.data.PreferenceRow;
import io.rlhf4j.data.PromptRow;
import io.rlhf4j.data.TrainingRow;
import io.rlhf4j.error.Rlhf4jException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/** The prepared rows of a run. Only numbers of rows lie in the driver; the rows themselves are read when they are needed. */
public final class PreparedData {
    private final Dataset<Row> table;
    private final List<SourceConfig> sources;
    private final DataReport report;
    private final Map<Use, RowOrder> orders = new HashMap<>();
    private final Map<Prompts, PromptsAhead> prompts = new HashMap<>();

    /** What rows are for, and the seed of their order. */
    private record Use(String name, long seed) {}

    /** How many an iteration takes, and the seed of their order. */
    private record Prompts(int count, long seed) {}

    PreparedData(Dataset<Row> table, List<SourceConfig> sources, DataReport report) {
        this.table = table;
        this.sources = sources;
        this.report = report;
    }

    /** What became of all rows. */
    public DataReport report() {
        return report;
    }

    /**
     * The rows that a step trains on, blended.
     *
     * @throws Rlhf4jException of kind DATA where it has none
     */
    public RowOrder training(Step step, long seed) {
        RowOrder order = order(step.key(), seed);
        if (order.rows() == 0) {
            throw Rlhf4jException.data(
                    "no rows for %s: of the sources %s none gave a usable row; is one of them meant for the step (data.sources[].steps)?%s"
                            .formatted(
                                    step.key(),
                                    sources.stream().map(SourceConfig::label).toList(),
                                    heldOut(step) + leftOut()));
        }
        return order;
    }

    private String heldOut(Step step) {
        long rows = order(step.key() + RowUse.HELD_OUT, 0).rows();
        return rows == 0 ? "" : " %d are held out (data.sources[].held_out).".formatted(rows);
    }

    /** How many rows were left out, by reason. */
    private String leftOut() {
        List<String> reasons = table
                .filter(col("status").notEqual(PreparedSchema.USED))
                .groupBy("reason")
                .count()
                .orderBy(col("count").desc(), col("reason"))
                .collectAsList()
                .stream()
                .map(row -> "%d of '%s'".formatted(row.getLong(1), row.getString(0)))
                .toList();
        return reasons.isEmpty() ? "" : " Left out were " + String.join(", ", reasons);
    }

    /**
     * The prompts of PPO's iterations; read already where this was asked for before.
     *
     * @param count prompts of an iteration
     * @throws Rlhf4jException of kind DATA where there are none
     */
    public PromptsAhead promptsAhead(int count, long seed) {
        return prompts.computeIfAbsent(
                new Prompts(count, seed), wanted -> new PromptsAhead(this, training(Step.PPO, seed), count));
    }

    /** Unlabelled text beside PPO; may be none. */
    public RowOrder unlabelled(long seed) {
        return order(RowUse.PTX, seed);
    }

    /** The rows that a step holds out, at most so many (0: all); may be none. */
    public long[] heldOut(Step step, int limit, long seed) {
        RowOrder order = order(step.key() + RowUse.HELD_OUT, seed);
        long rows = limit == 0 ? order.rows() : Math.min(limit, order.rows());
        return order.take(0, Math.toIntExact(rows));
    }

    private RowOrder order(String use, long seed) {
        return orders.computeIfAbsent(new Use(use, seed), this::read);
    }

    private RowOrder read(Use use) {
        List<Row> rows = table.filter(col("status").equalTo(PreparedSchema.USED))
                .filter(col("use").equalTo(use.name))
                .select("source_index", "id")
                .collectAsList();
        long[] ids = rows.stream().mapToLong(row -> row.getLong(1)).toArray();
        double[] weights = rows.stream()
                .mapToDouble(row -> sources.get(row.getInt(0)).weight())
                .toArray();
        return new RowOrder(ids, weights, use.seed);
    }

    /** The rows to learn of these numbers, in their order. */
    public List<TrainingRow> trainingRows(long[] ids) {
        return fetch(ids, PreparedSchema::training);
    }

    /** The pairs of these numbers, in their order. */
    public List<PreferenceRow> preferenceRows(long[] ids) {
        return fetch(ids, PreparedSchema::preference);
    }

    /** The prompts of these numbers, in their order. */
    public List<PromptRow> promptRows(long[] ids) {
        return fetch(ids, PreparedSchema::prompt);
    }

    private <T> List<T> fetch(long[] ids, Function<Row, T> read) {
        Object[] wanted = Arrays.stream(ids).distinct().boxed().toArray();
        Map<Long, T> found = new HashMap<>();
        table.filter(col("status").equalTo(PreparedSchema.USED))
                .filter(col("id").isin(wanted))
                .collectAsList()
                .forEach(row -> found.put(row.getLong(row.fieldIndex("id")), read.apply(row)));
        List<T> rows = new ArrayList<>(ids.length);
        for (long id : ids) {
            T row = found.get(id);
            if (row == null) {
                throw Rlhf4jException.data("a prepared row is gone from the run's data folder (id %d)".formatted(id));
            }
            rows.add(row);
        }
        return rows;
    }
}
