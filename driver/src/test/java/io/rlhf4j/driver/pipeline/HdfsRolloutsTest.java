package io.rlhf4j.driver.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.data.Rollout;
import io.rlhf4j.driver.files.MiniHdfs;
import io.rlhf4j.driver.spark.LocalSpark;
import io.rlhf4j.run.Fence;
import io.rlhf4j.run.RunFolder;
import io.rlhf4j.run.lease.HeldLease;
import io.rlhf4j.run.lease.RunLease;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The table of rollouts on HDFS. */
@Timeout(170)
class HdfsRolloutsTest {
    private static final Duration EXPIRY = Duration.ofMillis(600);

    @TempDir
    private Path disks;

    @Test
    void rolloutsCountWhenTheirManifestIsThereAndAnOldOwnerWritesNone() throws Exception {
        try (MiniHdfs hdfs = MiniHdfs.start(disks);
                SparkSession session = LocalSpark.start(1)) {
            RunFolder plain = folder(hdfs, Fence.open());
            HeldLease old = lease(hdfs, plain, Duration.ofHours(1));
            RolloutTable table = new RolloutTable(session, folder(hdfs, old.fence()));
            table.write(0, rows(session, 0));
            assertThat(CommittedRollouts.of(session, plain).count()).isZero();
            table.commit(0, "origin", Map.of("seconds_generate", 1.0));
            table.write(1, rows(session, 1));
            assertThat(CommittedRollouts.of(session, plain).collectAsList())
                    .extracting(row -> row.getLong(0) + " " + row.<String>getAs("row_key"))
                    .containsExactlyInAnyOrder("0 first", "0 second");
            assertThat(table.find(0, "origin")).isPresent();
            assertThat(table.find(0, "another")).isEmpty();

            Thread.sleep(EXPIRY.toMillis());
            try (HeldLease successor = lease(hdfs, plain, EXPIRY)) {
                assertThatThrownBy(() -> table.write(0, rows(session, 5)))
                        .hasMessageContaining("not written by start 1 of the run");
                assertThatThrownBy(() -> table.commit(1, "origin", Map.of()))
                        .hasMessageContaining("not written by start 1 of the run");
                assertThat(new RolloutTable(session, folder(hdfs, successor.fence())).find(0, "origin"))
                        .hasValueSatisfying(
                                found -> assertThat(found.rollouts()).hasSize(2));
                assertThat(CommittedRollouts.of(session, plain).count()).isEqualTo(2);
            }
            old.close();
        }
    }

    private static RunFolder folder(MiniHdfs hdfs, Fence fence) {
        return new RunFolder(hdfs.path("/runs/rolled"), hdfs.configuration(), fence);
    }

    private static HeldLease lease(MiniHdfs hdfs, RunFolder folder, Duration expiry)
            throws IOException, InterruptedException {
        return new RunLease(folder, hdfs.configuration(), expiry).take(line -> {}, () -> {});
    }

    private static JavaRDD<Row> rows(SparkSession session, long version) {
        return JavaSparkContext.fromSparkContext(session.sparkContext())
                .parallelize(List.of("first", "second"))
                .map(key -> RolloutSchema.row(rollout(key, version)));
    }

    private static Rollout rollout(String key, long version) {
        float[] none = {0};
        return new Rollout(
                key,
                "sums",
                0,
                new int[] {3, 4},
                new int[] {5},
                new boolean[] {true},
                none,
                none,
                none,
                none,
                0.5,
                Map.of("short", 0.5),
                none,
                none,
                none,
                version,
                Rollout.Finish.EOS);
    }
}
