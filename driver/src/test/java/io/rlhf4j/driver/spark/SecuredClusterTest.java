package io.rlhf4j.driver.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.workers.collective.network.handshake.GroupSecret;
import io.rlhf4j.workers.runtime.StateId;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Ranks on a cluster that asks who is there, or wants what is sent encrypted. */
@Timeout(300)
class SecuredClusterTest {
    private static final StateId STATE = new StateId("run", "first", 0);

    @TempDir
    private Path folder;

    @Test
    void underAuthenticationRanksOnTwoExecutorsComeTogether() throws Exception {
        Path secret = Files.writeString(folder.resolve("secret"), "known to this cluster alone");
        try (SparkSession session = LocalCluster.start(
                2,
                1,
                Map.of("spark.authenticate", "true", "spark.authenticate.secret", "${file:%s}".formatted(secret)))) {
            BarrierJob job = new BarrierJob(
                    new JavaSparkContext(session.sparkContext()), 2, Duration.ofSeconds(60), Duration.ofSeconds(60));
            assertThat(job.run("model", STATE, Double.class, context -> context.collectives()
                            .allReduceSum(new double[] {context.rank() + 1})[0]))
                    .containsExactly(3.0, 3.0);
        }
    }

    @Test
    void aSecretBoundToAnotherIsNoneOfBoth() {
        GroupSecret told = GroupSecret.random();
        byte[] ofSpark = "spark's".getBytes(StandardCharsets.UTF_8);
        assertThat(told.boundTo(ofSpark).bytes())
                .isEqualTo(told.boundTo(ofSpark).bytes())
                .isNotEqualTo(told.bytes())
                .isNotEqualTo(
                        told.boundTo("another".getBytes(StandardCharsets.UTF_8)).bytes())
                .isNotEqualTo(GroupSecret.random().boundTo(ofSpark).bytes());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "spark.network.crypto.enabled",
                "spark.authenticate.enableSaslEncryption",
                "spark.ssl.rpc.enabled"
            })
    void ranksOnSeveralExecutorsAreRefusedWhereSparkEncrypts(String key) {
        SparkConf conf = new SparkConf(false).set(key, "true");
        assertThatThrownBy(() -> RankGroup.requireClearAllowed(conf))
                .isInstanceOfSatisfying(
                        Rlhf4jException.class, error -> assertThat(error.kind()).isEqualTo(ErrorKind.CLUSTER))
                .hasMessageContaining(key + " is true")
                .hasMessageContaining("in the clear");
        RankGroup.requireClearAllowed(new SparkConf(false).set("spark.authenticate", "true"));
    }

    @Test
    void thatIsSaidBeforeAnythingStartsWhereNoExecutorHasRoomForAllRanks() {
        SparkConf conf = new SparkConf(false)
                .set("spark.master", "spark://host:7077")
                .set("spark.network.crypto.enabled", "true")
                .set("spark.executor.cores", "4");
        BarrierChecks.requireSecure(conf, 4, false);
        assertThatThrownBy(() -> BarrierChecks.requireSecure(conf, 5, false))
                .hasMessageContaining("spark.network.crypto.enabled is true");
        assertThatThrownBy(() -> BarrierChecks.requireSecure(conf.clone().set("spark.task.cpus", "2"), 3, false))
                .hasMessageContaining("spark.network.crypto.enabled is true");
    }

    @Test
    void weightsAreNotLaidOnDisksThatSparkIsToldToEncrypt() {
        SparkConf conf = new SparkConf(false).set("spark.io.encryption.enabled", "true");
        BarrierChecks.requireSecure(conf, 1, false);
        assertThatThrownBy(() -> BarrierChecks.requireSecure(conf, 1, true))
                .isInstanceOfSatisfying(
                        Rlhf4jException.class, error -> assertThat(error.kind()).isEqualTo(ErrorKind.CLUSTER))
                .hasMessageContaining("spark.io.encryption.enabled is true")
                .hasMessageContaining("cluster.offload");
    }
}
