package io.rlhf4j.driver.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.rlhf4j.backend.cuda.DeviceGroup;
import io.rlhf4j.config.ClusterConfig.Transport;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.workers.runtime.StateId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** GPUs that a discovery script makes up. */
@Timeout(300)
class GpuRanksTest {
    private static final StateId STATE = new StateId("run", "first", 0);

    @TempDir
    private Path folder;

    @Test
    void aRankGetsAGpuOfItsOwnAndFindsItsStateAgainThere() throws IOException {
        try (SparkSession session = cluster(1, 2, "\"3\", \"5\"")) {
            List<String> first = job(session).run("kept", STATE, String.class, context -> {
                context.slot().give("kept", STATE.later(1), () -> {});
                return context.slot().gpu().orElse("none");
            });
            assertThat(first).containsExactlyInAnyOrder("3", "5");
            List<String> again = job(session)
                    .run(
                            "kept",
                            STATE.later(1),
                            String.class,
                            context -> context.complete() + " "
                                    + context.slot().gpu().orElse("none"));
            assertThat(again).containsExactly("true " + first.get(0), "true " + first.get(1));
        }
    }

    @Test
    void twoExecutorsThatWereGivenOneGpuAreRefused() throws IOException {
        try (SparkSession session = cluster(2, 1, "\"0\"")) {
            assertThatThrownBy(() -> job(session).run("kept", STATE, Boolean.class, context -> true))
                    .isInstanceOfSatisfying(Rlhf4jException.class, error -> assertThat(error.kind())
                            .isEqualTo(ErrorKind.CLUSTER))
                    .hasMessageContaining("two ranks (tasks 0 and 1) were given GPU 0 of ")
                    .hasMessageContaining("UUIDs");
        }
    }

    @Test
    void halfAGpuIsRefusedBeforeAnythingStarts() {
        SparkConf conf = new SparkConf(false).set("spark.task.resource.gpu.amount", "0.5");
        assertThatThrownBy(() -> BarrierChecks.requirePossible(conf))
                .isInstanceOfSatisfying(
                        Rlhf4jException.class, error -> assertThat(error.kind()).isEqualTo(ErrorKind.CLUSTER))
                .hasMessageContaining("spark.task.resource.gpu.amount is 0.5");
    }

    @Test
    void ncclIsRefusedBeforeAnythingStartsWhereRanksAreGivenNoGpus() {
        SparkConf conf = new SparkConf(false).set("spark.master", "local[4]");
        BarrierChecks.requireNcclPossible(conf, 1);
        assertRefused(conf, "a GPU for each of 2 ranks", "in local mode Spark gives out none");
        conf.set("spark.master", "spark://host:7077");
        assertRefused(conf, "spark.task.resource.gpu.amount is not set");
        conf.set("spark.task.resource.gpu.amount", "1");
        BarrierChecks.requireNcclPossible(conf, 2);
    }

    @Test
    void ncclIsRefusedBetweenExecutorsThatProveWhoTheyAre() {
        SparkConf conf = new SparkConf(false)
                .set("spark.master", "spark://host:7077")
                .set("spark.task.resource.gpu.amount", "1")
                .set("spark.executor.cores", "2")
                .set("spark.authenticate", "true");
        BarrierChecks.requireNcclPossible(conf, 2);
        assertRefused(conf.clone().set("spark.executor.cores", "1"), "spark.authenticate is true", "prove");
    }

    private static void assertRefused(SparkConf conf, String... words) {
        assertThatThrownBy(() -> BarrierChecks.requireNcclPossible(conf, 2))
                .isInstanceOfSatisfying(Rlhf4jException.class, error -> {
                    assertThat(error.kind()).isEqualTo(ErrorKind.CLUSTER);
                    assertThat(error.getMessage()).contains(words);
                });
    }

    @Test
    void whereNcclIsMissingAJobOverItSaysWhatWasLookedFor() throws IOException {
        assumeTrue(DeviceGroup.unusableBecause().isPresent(), "this machine has NCCL");
        try (SparkSession session = cluster(1, 2, "\"3\", \"5\"")) {
            assertThatThrownBy(
                            () -> job(session).over(Transport.NCCL).run("kept", STATE, Boolean.class, context -> true))
                    .isInstanceOfSatisfying(Rlhf4jException.class, error -> assertThat(error.kind())
                            .isEqualTo(ErrorKind.CLUSTER))
                    .hasMessageContaining("cluster.collectives is nccl, which cannot run here: NCCL is not found")
                    .hasMessageContaining("libnccl.so.2");
        }
    }

    private SparkSession cluster(int executors, int cores, String addresses) throws IOException {
        Path script = Files.writeString(
                folder.resolve("gpus.sh"),
                "#!/bin/sh\necho '{\"name\": \"gpu\", \"addresses\": [%s]}'\n".formatted(addresses));
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
        String amount = Integer.toString(cores);
        return LocalCluster.start(
                executors,
                cores,
                Map.of(
                        "spark.worker.resource.gpu.amount",
                        amount,
                        "spark.worker.resource.gpu.discoveryScript",
                        script.toString(),
                        "spark.executor.resource.gpu.amount",
                        amount,
                        "spark.task.resource.gpu.amount",
                        "1"));
    }

    private static BarrierJob job(SparkSession session) {
        return new BarrierJob(
                new JavaSparkContext(session.sparkContext()), 2, Duration.ofSeconds(60), Duration.ofSeconds(60));
    }
}
