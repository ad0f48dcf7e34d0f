package io.rlhf4j.driver.pipeline;

import io.rlhf4j.data.Rollout;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.hadoop.example.GroupReadSupport;

/**
 * A Parquet file of {@link RolloutSchema}, read by the driver itself: a Spark job for some rows costs more than the rows, above
 * all where executors are new.
 */
final class RolloutFile {
    private RolloutFile() {}

    /** Gives all rollouts of the file to {@code rollouts}, in the order of its rows. */
    static void read(Path file, Configuration hadoop, Consumer<Rollout> rollouts) throws IOException {
        try (ParquetReader<Group> rows = ParquetReader.builder(new GroupReadSupport(), file)
                .withConf(hadoop)
                .build()) {
            for (Group row = rows.read(); row != null; row = rows.read()) {
                rollouts.accept(rollout(row));
            }
        }
    }

    private static Rollout rollout(Group row) {
        return new Rollout(
                row.getString("row_key", 0),
                row.getString("source", 0),
                row.getInteger("sample_index", 0),
                integers(row, "prompt_ids"),
                integers(row, "response_ids"),
                booleans(row, "response_mask"),
                numbers(row, "rollout_logp"),
                numbers(row, "old_logp"),
                numbers(row, "ref_logp"),
                numbers(row, "values"),
                row.getDouble("score", 0),
                parts(row.getGroup("score_parts", 0)),
                numbers(row, "rewards"),
                numbers(row, "advantages"),
                numbers(row, "returns"),
                row.getLong("weights_version", 0),
                Rollout.Finish.valueOf(row.getString("finish_reason", 0)));
    }

    private static Map<String, Double> parts(Group map) {
        Map<String, Double> parts = new TreeMap<>();
        for (int i = 0; i < map.getFieldRepetitionCount(0); i++) {
            Group entry = map.getGroup(0, i);
            parts.put(entry.getString("key", 0), entry.getDouble("value", 0));
        }
        return parts;
    }

    private static int[] integers(Group row, String column) {
        Group list = row.getGroup(column, 0);
        int[] integers = new int[list.getFieldRepetitionCount(0)];
        for (int i = 0; i < integers.length; i++) {
            integers[i] = list.getGroup(0, i).getInteger(0, 0);
        }
        return integers;
    }

    private static float[] numbers(Group row, String column) {
        Group list = row.getGroup(column, 0);
        float[] numbers = new float[list.getFieldRepetitionCount(0)];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = list.getGroup(0, i).getFloat(0, 0);
        }
        return numbers;
    }

    private static boolean[] booleans(Group row, String column) {
        Group list = row.getGroup(column, 0);
        boolean[] flags = new boolean[list.getFieldRepetitionCount(0)];
        for (int i = 0; i < flags.length; i++) {
            flags[i] = list.getGroup(0, i).getBoolean(0, 0);
        }
        return flags;
    }
}
