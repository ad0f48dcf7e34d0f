package io.rlhf4j.driver.query;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.driver.pipeline.CommittedRollouts;
import io.rlhf4j.run.MetricsRow;
import io.rlhf4j.run.RunFolder;
import java.io.IOException;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;
import scala.jdk.javaapi.CollectionConverters;

/**
 * A run as tables of a session: {@code rollouts}, what is committed of them; {@code metrics}, a row for each line of
 * metrics.jsonl; and a function {@code text(ids)} that gives the text of tokens. They are as the run was when they were made.
 */
public final class RunTables {
    private static final StructType METRICS = new StructType()
            .add("step", DataTypes.StringType)
            .add("series", DataTypes.StringType)
            .add("position", DataTypes.LongType)
            .add("time", DataTypes.StringType)
            .add("values", DataTypes.createMapType(DataTypes.StringType, DataTypes.DoubleType, true));

    private RunTables() {}

    /**
     * Makes the tables and the function for the session.
     *
     * @throws io.rlhf4j.error.Rlhf4jException of kind DATA where a file of the run is damaged
     */
    public static void register(SparkSession session, RunFolder folder, RunConfig config) throws IOException {
        CommittedRollouts.of(session, folder).createOrReplaceTempView("rollouts");
        List<Row> metrics =
                folder.openMetrics().rows().stream().map(RunTables::row).toList();
        session.createDataFrame(metrics, METRICS).createOrReplaceTempView("metrics");
        TokenText text = new TokenText(
                config.models().tokenizerOrActor(),
                new SerializableConfiguration(session.sparkContext().hadoopConfiguration()));
        session.udf().register("text", text, DataTypes.StringType);
    }

    private static Row row(MetricsRow row) {
        return RowFactory.create(
                row.step().key(), row.series(), row.position(), row.time(), CollectionConverters.asScala(row.values()));
    }
}
