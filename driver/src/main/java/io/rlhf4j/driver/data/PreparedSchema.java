package io.rlhf4j.driver.data;

import io.rlhf4j.data.PreferenceRow;
import io.rlhf4j.data.PromptRow;
import io.rlhf4j.data.TrainingRow;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * The table of prepared rows, one line for each row of every source: where it went, or why it went nowhere. Columns that a
 * row does not have are null.
 */
final class PreparedSchema {
    /** A row to train on or to evaluate with. */
    static final String USED = "used";
    /** A sound row that is left out. */
    static final String DROPPED = "dropped";
    /** A row that cannot be used. */
    static final String UNUSABLE = "unusable";

    static final StructType TYPE = new StructType()
            .add("source_index", DataTypes.IntegerType)
            .add("source", DataTypes.StringType)
            .add("location", DataTypes.StringType)
            .add("status", DataTypes.StringType)
            .add("reason", DataTypes.StringType)
            .add("raw", DataTypes.StringType)
            .add("id", DataTypes.LongType)
            .add("key", DataTypes.StringType)
            .add("use", DataTypes.StringType)
            .add("content", DataTypes.LongType)
            .add("prompt_hash", DataTypes.LongType)
            .add("pair", DataTypes.LongType)
            .add("ids", DataTypes.createArrayType(DataTypes.IntegerType))
            .add("trained", DataTypes.createArrayType(DataTypes.BooleanType))
            .add("rejected_ids", DataTypes.createArrayType(DataTypes.IntegerType))
            .add("prompt_length", DataTypes.IntegerType)
            .add("margin", DataTypes.FloatType)
            .add("prompt", DataTypes.StringType)
            .add("reference", DataTypes.StringType);

    private PreparedSchema() {}

    /**
     * What all rows have.
     *
     * @param index of the source in the configuration
     */
    record Origin(int index, String source, String location) {}

    /** What is known of a row beside its tokens. {@code pair} is the same for a pair and its reverse. */
    record Facts(long id, String use, long content, long prompt, Long pair) {}

    static Row rejected(Origin origin, String status, String reason, String raw) {
        return row(origin, status, reason, raw, null, null, new Object[7]);
    }

    static Row used(Origin origin, Facts facts, TrainingRow row) {
        return used(origin, facts, row.key(), row.ids(), row.trained(), null, null, null, null, null);
    }

    static Row used(Origin origin, Facts facts, PreferenceRow row) {
        return used(
                origin,
                facts,
                row.key(),
                row.chosen(),
                null,
                row.rejected(),
                row.promptLength(),
                row.margin(),
                null,
                null);
    }

    static Row used(Origin origin, Facts facts, PromptRow row) {
        return used(origin, facts, row.key(), row.ids(), null, null, null, null, row.prompt(), row.reference());
    }

    private static Row used(Origin origin, Facts facts, String key, Object... values) {
        return row(origin, USED, null, null, facts, key, values);
    }

    private static Row row(
            Origin origin, String status, String reason, String raw, Facts facts, String key, Object[] values) {
        return RowFactory.create(
                origin.index(),
                origin.source(),
                origin.location(),
                status,
                reason,
                raw,
                facts == null ? null : facts.id(),
                key,
                facts == null ? null : facts.use(),
                facts == null ? null : facts.content(),
                facts == null ? null : facts.prompt(),
                facts == null ? null : facts.pair(),
                values[0],
                values[1],
                values[2],
                values[3],
                values[4],
                values[5],
                values[6]);
    }

    static TrainingRow training(Row row) {
        List<Boolean> mask = row.getList(row.fieldIndex("trained"));
        boolean[] trained = new boolean[mask.size()];
        for (int i = 0; i < trained.length; i++) {
            trained[i] = mask.get(i);
        }
        return new TrainingRow(text(row, "key"), text(row, "source"), ids(row, "ids"), trained);
    }

    static PreferenceRow preference(Row row) {
        return new PreferenceRow(
                text(row, "key"),
                text(row, "source"),
                ids(row, "ids"),
                ids(row, "rejected_ids"),
                row.getInt(row.fieldIndex("prompt_length")),
                row.getFloat(row.fieldIndex("margin")));
    }

    static PromptRow prompt(Row row) {
        return new PromptRow(
                text(row, "key"), text(row, "source"), ids(row, "ids"), text(row, "prompt"), text(row, "reference"));
    }

    private static String text(Row row, String column) {
        return row.getString(row.fieldIndex(column));
    }

    private static int[] ids(Row row, String column) {
        return row.<Integer>getList(row.fieldIndex(column)).stream()
                .mapToInt(Integer::intValue)
                .toArray();
    }
}
