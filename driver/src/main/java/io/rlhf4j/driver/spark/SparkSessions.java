package io.rlhf4j.driver.spark;

import io.rlhf4j.config.RunConfig;
import org.apache.spark.sql.SparkSession;

/** Starts the Spark session of a run. */
public final class SparkSessions {
    private SparkSessions() {}

    /**
     * The session that a run needs: Kryo with registration required, the modules and packages that every JVM opens, and
     * the settings of {@code cluster.spark}. With {@code cluster.master: auto} outside of spark-submit, as many local
     * threads as the run has ranks or rollout partitions.
     *
     * @throws io.rlhf4j.error.Rlhf4jException where a setting contradicts the run
     */
    public static SparkSession start(RunConfig config) {
        throw new UnsupportedOperationException(config.name());
    }
}
