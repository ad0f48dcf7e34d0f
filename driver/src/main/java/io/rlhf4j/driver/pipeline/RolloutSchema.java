package io.rlhf4j.driver.pipeline;

import io.rlhf4j.data.Rollout;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import scala.jdk.javaapi.CollectionConverters;

/** Rollouts as rows of a table that anyone can ask with SQL. */
final class RolloutSchema {
    private static final DataType INTEGERS = DataTypes.createArrayType(DataTypes.IntegerType, false);
    private static final DataType NUMBERS = DataTypes.createArrayType(DataTypes.FloatType, false);

    static final StructType TYPE = new StructType()
            .add("row_key", DataTypes.StringType)
            .add("source", DataTypes.StringType)
            .add("sample_index", DataTypes.IntegerType)
            .add("prompt_ids", INTEGERS)
            .add("response_ids", INTEGERS)
            .add("response_mask", DataTypes.createArrayType(DataTypes.BooleanType, false))
            .add("rollout_logp", NUMBERS)
            .add("old_logp", NUMBERS)
            .add("ref_logp", NUMBERS)
            .add("values", NUMBERS)
            .add("score", DataTypes.DoubleType)
            .add("score_parts", DataTypes.createMapType(DataTypes.StringType, DataTypes.DoubleType, false))
            .add("rewards", NUMBERS)
            .add("advantages", NUMBERS)
            .add("returns", NUMBERS)
            .add("weights_version", DataTypes.LongType)
            .add("finish_reason", DataTypes.StringType);

    private RolloutSchema() {}

    static Row row(Rollout rollout) {
        return RowFactory.create(
                rollout.key(),
                rollout.source(),
                rollout.sample(),
                rollout.prompt(),
                rollout.response(),
                rollout.mask(),
                rollout.rolloutLogProbs(),
                rollout.oldLogProbs(),
                rollout.referenceLogProbs(),
                rollout.values(),
                rollout.score(),
                CollectionConverters.asScala(rollout.parts()),
                rollout.rewards(),
                rollout.advantages(),
                rollout.returns(),
                rollout.weightsVersion(),
                rollout.finish().name());
    }

    static Rollout rollout(Row row) {
        Map<String, Double> parts = row.getJavaMap(row.fieldIndex("score_parts"));
        return new Rollout(
                row.getAs("row_key"),
                row.getAs("source"),
                row.<Integer>getAs("sample_index"),
                integers(row, "prompt_ids"),
                integers(row, "response_ids"),
                booleans(row, "response_mask"),
                numbers(row, "rollout_logp"),
                numbers(row, "old_logp"),
                numbers(row, "ref_logp"),
                numbers(row, "values"),
                row.<Double>getAs("score"),
                parts,
                numbers(row, "rewards"),
                numbers(row, "advantages"),
                numbers(row, "returns"),
                row.<Long>getAs("weights_version"),
                Rollout.Finish.valueOf(row.getAs("finish_reason")));
    }

    private static int[] integers(Row row, String column) {
        return row.<Integer>getList(row.fieldIndex(column)).stream()
                .mapToInt(Integer::intValue)
                .toArray();
    }

    private static float[] numbers(Row row, String column) {
        List<Float> list = row.getList(row.fieldIndex(column));
        float[] numbers = new float[list.size()];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = list.get(i);
        }
        return numbers;
    }

    private static boolean[] booleans(Row row, String column) {
        List<Boolean> list = row.getList(row.fieldIndex(column));
        boolean[] flags = new boolean[list.size()];
        for (int i = 0; i < flags.length; i++) {
            flags[i] = list.get(i);
        }
        return flags;
    }
}
