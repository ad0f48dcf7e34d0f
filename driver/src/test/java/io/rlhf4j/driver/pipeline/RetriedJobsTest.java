package io.rlhf4j.driver.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.driver.files.FaultyFileSystem;
import io.rlhf4j.driver.spark.LocalSpark;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.run.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Jobs of which a task fails come to what they come to without the failure. Two tries are allowed. */
@Timeout(170)
class RetriedJobsTest {
    private static final Configuration HADOOP = new Configuration();
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
        failAt("the disk went away", "rollouts/iteration=00000001/.*part-00001");
        RunConfig config = config("rollouts");
        new Pipeline(session, config, Progress.silent()).runPpo();
        assertThat(FaultyFileSystem.clear()).isFalse();

        assertThat(rollouts(config)).hasSize(12).isEqualTo(rollouts(undisturbed));
        assertThat(CommittedRollouts.of(session, new RunFolder(new org.apache.hadoop.fs.Path(config.path()), HADOOP))
                        .select("iteration", "source", "row_key", "sample_index")
                        .distinct()
                        .count())
                .isEqualTo(12);
        assertThat(weights(config)).isEqualTo(weights(undisturbed));
    }

    @Test
    void anUpdateJobThatFailsIsDoneAgainFromTheLastCheckpointWithTheRolloutsThatAreThere() throws IOException {
        failAt("No space left on device", "weights/version=00000002/");
        RunConfig config = config("update");
        Notes notes = new Notes();
        new Pipeline(session, config, notes).runPpo();
        assertThat(FaultyFileSystem.clear()).isFalse();

        assertThat(notes.lines())
                .anySatisfy(line -> assertThat(line)
                        .contains("ppo failed (try 1 of 2)", "the update of iteration 1: rank 0 on", "No space left"))
                .contains("ppo goes on after iteration 1", "the rollouts of iteration 1 are there already");
        assertThat(rollouts(config)).isEqualTo(rollouts(undisturbed));
        assertThat(weights(config)).isEqualTo(weights(undisturbed));
    }

    @Test
    void triesCountAnewWhereACheckpointWasWrittenInBetween() throws IOException {
        failAt(
                "the disk is full",
                "weights/version=00000001/",
                "weights/version=00000002/",
                "weights/version=00000003/");
        RunConfig config = config("thrice");
        Notes notes = new Notes();
        new Pipeline(session, config, notes).runPpo();
        assertThat(FaultyFileSystem.clear()).isFalse();

        assertThat(notes.lines().stream().filter(line -> line.contains("ppo failed (try 1 of 2)")))
                .hasSize(3);
        assertThat(weights(config)).isEqualTo(weights(undisturbed));
    }

    @Test
    void whatFailsAgainAtTheSamePlaceEndsTheRun() throws IOException {
        failAt("the disk is full", "weights/version=00000002/", "weights/version=00000002/");
        RunConfig config = config("twice");
        Notes notes = new Notes();
        assertThatThrownBy(() -> new Pipeline(session, config, notes).runPpo())
                .isInstanceOfSatisfying(
                        Rlhf4jException.class, error -> assertThat(error.kind()).isEqualTo(ErrorKind.RETRYABLE))
                .hasMessageContaining("the update of iteration 1: rank 0 on")
                .hasMessageContaining("the disk is full");
        assertThat(FaultyFileSystem.clear()).isFalse();
    }

    @Test
    void theNextRolloutsAreMadeWhileACheckpointIsWritten() throws IOException {
        RunConfig config = config("going-on");
        Path rollouts = folder.resolve("runs/going-on/rollouts/iteration=00000001/_manifest.json");
        Path checkpoint = folder.resolve("runs/going-on/ppo/checkpoints/step-00000001/manifest.json");
        List<Boolean> committed = new CopyOnWriteArrayList<>();
        FaultyFileSystem.once("checkpoints/step-00000001/actor-00001-of-00001", 100, () -> {
            await(rollouts);
            committed.add(Files.exists(checkpoint));
        });
        new Pipeline(session, config, Progress.silent()).runPpo();
        assertThat(committed).containsExactly(false);
        assertThat(weights(config)).isEqualTo(weights(undisturbed));
    }

    private static void await(Path file) throws IOException {
        for (int tries = 0; !Files.exists(file); tries++) {
            try {
                Thread.sleep(50);
            } catch (InterruptedException interrupted) {
                throw new IOException(interrupted);
            }
            if (tries > 2000) {
                throw new IOException("nobody wrote " + file);
            }
        }
    }

    @Test
    void aRunThatWaitsForItsCheckpointsHasTheSameBits() throws IOException {
        RunConfig config = config("waiting", "checkpoints.asynchronous=false");
        new Pipeline(session, config, Progress.silent()).runPpo();
        assertThat(weights(config)).isEqualTo(weights(undisturbed));
    }

    @Test
    void aCheckpointThatCouldNotBeWrittenIsAnErrorOfTheNextUpdate() throws IOException {
        failAt("the disk went away", "checkpoints/step-00000001/critic-00001-of-00001");
        RunConfig config = config("unwritten");
        Notes notes = new Notes();
        new Pipeline(session, config, notes).runPpo();
        assertThat(FaultyFileSystem.clear()).isFalse();

        assertThat(notes.lines())
                .anyMatch(line -> line.contains("ppo failed (try 1 of 2)")
                        && line.contains("step-00000001/critic-00001-of-00001")
                        && line.contains("the disk went away"));
        assertThat(rollouts(config)).isEqualTo(rollouts(undisturbed));
        assertThat(weights(config)).isEqualTo(weights(undisturbed));
    }

    /** Each time that the next of the files is made, writing it fails. */
    private static void failAt(String message, String... paths) {
        FaultyFileSystem.once(paths[0], 0, () -> {
            if (paths.length > 1) {
                failAt(message, List.of(paths).subList(1, paths.length).toArray(String[]::new));
            }
            throw new IOException(message);
        });
    }

    private static RunConfig config(String name, String... overrides) throws IOException {
        List<String> all = new ArrayList<>(List.of(
                "folder=faulty:" + folder.resolve("runs"),
                "ppo.iterations=3",
                "ppo.critic_init=actor",
                "ppo.rewards=[{kind: rule, name: short, rule: length, target: 4}]",
                "cluster={rollout_partitions: 2, attempts: 2, backoff: 0s}"));
        all.addAll(List.of(overrides));
        return TinyRun.ofThreeSteps(folder, name, all.toArray(String[]::new));
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
