package io.rlhf4j.driver.pipeline;

import io.rlhf4j.data.Rollout;
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
}
