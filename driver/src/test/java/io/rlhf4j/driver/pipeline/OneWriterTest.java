package io.rlhf4j.driver.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.driver.spark.LocalSpark;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.run.RunFolder;
import io.rlhf4j.run.lease.HeldLease;
import io.rlhf4j.run.lease.RunLease;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Drivers that are stopped, replaced and continued. A stopped driver is one whose heart does not beat. */
@Timeout(170)
class OneWriterTest {
    private static final Duration EXPIRY = Duration.ofMillis(300);
    private static SparkSession session;

    @TempDir
    private Path folder;

    @BeforeAll
    static void start() {
        session = LocalSpark.start(2);
    }

    @AfterAll
    static void stop() {
        session.stop();
    }

    @Test
    void aReplacedDriverThatContinuesCommitsNothingAndItsSuccessorComesToTheSameWeights() throws Exception {
        new Pipeline(session, TinyRun.in(folder, "whole"), Progress.silent()).runSft();

        RunConfig config = TinyRun.in(folder, "replaced");
        HeldLease stopped = hold(config, Duration.ofHours(1));
        Pipeline first = new Pipeline(
                session,
                config,
                at(4, () -> {
                    // What the stopped driver finds when it is continued: somebody else has taken the run.
                    take(config).close();
                }),
                stopped.fence());
        assertThatThrownBy(first::runSft)
                .isInstanceOfSatisfying(
                        Rlhf4jException.class, error -> assertThat(error.kind()).isEqualTo(ErrorKind.RETRYABLE))
                .hasMessageContaining("not written by start 1 of the run")
                .hasMessageContaining("start 2 has taken over");
        assertThat(checkpoints()).containsExactly("step-00000003");

        try (HeldLease successor = take(config)) {
            assertThat(successor.fence().epoch()).isEqualTo(3);
            new Pipeline(session, config, Progress.silent(), successor.fence()).runSft();
        }
        assertThat(weights("replaced")).isEqualTo(weights("whole"));
        assertThat(Files.readString(folder.resolve("runs/replaced/sft/checkpoints/step-00000010/manifest.json")))
                .contains("\"epoch\" : 3");
    }

    private static HeldLease take(RunConfig config) {
        return hold(config, EXPIRY);
    }

    private static HeldLease hold(RunConfig config, Duration expiry) {
        try {
            Configuration hadoop = new Configuration();
            return new RunLease(RunFolder.of(config, hadoop), hadoop, expiry).take(line -> {}, () -> {});
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }

    private Stream<String> checkpoints() throws IOException {
        Path store = folder.resolve("runs/replaced/sft/checkpoints");
        try (Stream<Path> steps = Files.list(store)) {
            return steps
                    .filter(step -> Files.exists(step.resolve("manifest.json")))
                    .map(step -> step.getFileName().toString())
                    .toList()
                    .stream();
        }
    }

    private byte[] weights(String run) throws IOException {
        return Files.readAllBytes(folder.resolve("runs/%s/export/sft/model.safetensors".formatted(run)));
    }

    /** Does something when so many steps are done. */
    private static Progress at(long step, Runnable action) {
        return new Progress() {
            @Override
            public void begin(String phase, long done, long total) {}

            @Override
            public void advance(String phase, long done, Map<String, Double> metrics) {
                if (done == step) {
                    action.run();
                }
            }

            @Override
            public void end(String phase) {}

            @Override
            public void note(String line) {}
        };
    }
}
