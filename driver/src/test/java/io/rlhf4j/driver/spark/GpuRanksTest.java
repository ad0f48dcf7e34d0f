package io.rlhf4j.driver.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
