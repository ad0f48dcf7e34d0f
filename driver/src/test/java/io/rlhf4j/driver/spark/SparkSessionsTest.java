package io.rlhf4j.driver.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.apache.spark.SparkConf;
import org.apache.spark.network.util.JavaUtils;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;

/** What a session is started with. */
class SparkSessionsTest {
    /** Spark gives an executor up after two minutes of silence, and its process ends for good some minutes later. */
    @Test
    void aLocalRunThatWasStoppedOverNightGoesOn() throws IOException {
        try (SparkSession spark = LocalSpark.start(1)) {
            SparkConf conf = spark.sparkContext().conf();
            assertThat(JavaUtils.timeStringAsSec(conf.get("spark.storage.blockManagerHeartbeatTimeoutMs")))
                    .isGreaterThan(7 * 24 * 3600);
        }
    }

    @Test
    void whatSparkSubmitWasToldStays() throws IOException {
        // This is how spark-submit hands its settings on.
        System.setProperty("spark.shuffle.io.retryWait", "7s");
        try (SparkSession spark = LocalSpark.start(1)) {
            SparkConf conf = spark.sparkContext().conf();
            assertThat(conf.get("spark.shuffle.io.retryWait")).isEqualTo("7s");
            assertThat(conf.get("spark.sql.artifact.isolation.enabled")).isEqualTo("false");
        } finally {
            System.clearProperty("spark.shuffle.io.retryWait");
        }
    }
}
