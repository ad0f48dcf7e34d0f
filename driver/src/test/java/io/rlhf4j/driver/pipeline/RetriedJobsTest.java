package io.rlhf4j.driver.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.driver.files.FaultyFileSystem;
import io.rlhf4j.driver.spark.LocalSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Jobs of which a task fails once come to what they come to without the failure. */
@Timeout(170)
class RetriedJobsTest {
    private static SparkSession session;

    @TempDir
    private static Path folder;

    private static RunConfig undisturbed;

    @BeforeAll
    static void start() throws IOException {
        session = LocalSpark.retrying(2, 4);
        undisturbed = config("undisturbed");
        new Pipeline(session, undisturbed, Progress.silent()).runPpo();
    }

    @AfterAll
    static void stop() {
        session.stop();
    }

    @AfterEach
    void removeFault() {
        FaultyFileSystem.clear();
    }

    @Test
    void aPartitionOfTheRolloutJobIsGeneratedAgainWithTheSameRows() throws IOException {
        failOnce("rollouts/iteration=00000001/.*part-00001");
        RunConfig config = config("rollouts");
        new Pipeline(session, config, Progress.silent()).runPpo();
        assertThat(FaultyFileSystem.clear()).isFalse();

        assertThat(rollouts(config)).hasSize(8).isEqualTo(rollouts(undisturbed));
        assertThat(weights(config)).isEqualTo(weights(undisturbed));
    }

    @Test
    void anUpdateJobThatFailsIsDoneAgainFromTheLastCheckpoint() throws IOException {
        failOnce("weights/version=00000002/");
        RunConfig config = config("update");
        new Pipeline(session, config, Progress.silent()).runPpo();
        assertThat(FaultyFileSystem.clear()).isFalse();

        assertThat(rollouts(config)).isEqualTo(rollouts(undisturbed));
        assertThat(weights(config)).isEqualTo(weights(undisturbed));
    }

    private static void failOnce(String path) {
        FaultyFileSystem.once(path, 0, () -> {
            throw new IOException("the disk went away");
        });
    }

    private static RunConfig config(String name) throws IOException {
        return TinyRun.ofThreeSteps(
                folder,
                name,
                "folder=faulty:" + folder.resolve("runs"),
                "ppo.critic_init=actor",
                "ppo.rewards=[{kind: rule, name: short, rule: length, target: 4}]",
                "cluster={rollout_partitions: 2, attempts: 2, backoff: 0s}");
    }

    private static List<String> rollouts(RunConfig config) {
        return session.read()
                .parquet(config.path() + "/rollouts")
                .orderBy("iteration", "source", "row_key", "sample_index")
                .toJSON()
                .collectAsList();
    }

    private static byte[] weights(RunConfig config) throws IOException {
        return Files.readAllBytes(
                folder.resolve("runs").resolve(config.name()).resolve("export/actor/model.safetensors"));
    }
}
