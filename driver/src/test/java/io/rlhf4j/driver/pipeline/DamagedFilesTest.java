package io.rlhf4j.driver.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.driver.spark.LocalSpark;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a run reads back was damaged while it was stopped, after two of three iterations: it notices, says so and mends it. */
@Timeout(900)
class DamagedFilesTest {
    private static SparkSession session;

    @TempDir
    private static Path folder;

    private static byte[] undisturbed;

    @BeforeAll
    static void start() throws IOException {
        session = LocalSpark.start(2);
        RunConfig config = config("undisturbed");
        new Pipeline(session, config, Progress.silent()).runPpo();
        undisturbed = weights(config);
    }

    @AfterAll
    static void stop() {
        session.stop();
    }

    @Test
    void ofADamagedCheckpointTheOneBeforeItIsTaken() throws IOException {
        RunConfig config = stopped("checkpoint");
        Path file = fileIn(of(config, "ppo/checkpoints/step-00000002"), "actor-00002-of-00002-.*\\.safetensors");
        damage(file);

        assertThat(finish(config))
                .anySatisfy(line -> assertThat(line).contains(file.toString(), "is damaged"))
                .contains("ppo goes on after iteration 1");
        assertThat(weights(config)).isEqualTo(undisturbed);
    }

    @Test
    void damagedPublishedWeightsAreMadeAgainFromTheCheckpoint() throws IOException {
        RunConfig config = stopped("weights");
        Path file = of(config, "weights/version=00000002/actor/model-00002-of-00002.safetensors");
        byte[] before = Files.readAllBytes(file);
        damage(file);

        assertThat(finish(config)).anySatisfy(line -> assertThat(line)
                .contains("weights/version=00000002 is damaged or missing: published again"));
        assertThat(Files.readAllBytes(file)).isEqualTo(before);
        assertThat(weights(config)).isEqualTo(undisturbed);
    }

    @Test
    void weightsThatAreDamagedBetweenUpdateAndRolloutsAreNotUsed() throws IOException {
        RunConfig config = config("between", "cluster.attempts=2", "cluster.backoff=0s");
        Path file = of(config, "weights/version=00000002/actor/model-00001-of-00002.safetensors");
        Notes notes = new Notes(2, () -> damage(file));
        new Pipeline(session, config, notes).runPpo();

        assertThat(notes.lines()).anySatisfy(line -> assertThat(line)
                .contains("ppo failed (try 1 of 2)", file + " is damaged or was never finished"));
        assertThat(weights(config)).isEqualTo(undisturbed);
    }

    @Test
    void lostPublishedWeightsAreMadeAgainFromTheCheckpoint() throws IOException {
        RunConfig config = stopped("lost");
        Files.delete(of(config, "weights/version=00000002/manifest.json"));

        assertThat(finish(config)).anySatisfy(line -> assertThat(line).contains("published again"));
        assertThat(weights(config)).isEqualTo(undisturbed);
    }

    @Test
    void damagedRolloutsAreMadeAgain() throws IOException {
        RunConfig config = stopped("rollouts");
        Path checkpoint = of(config, "ppo/checkpoints/step-00000002/manifest.json");
        Files.delete(checkpoint);
        damage(fileIn(of(config, "rollouts/iteration=00000001"), ".*\\.parquet"));

        assertThat(finish(config))
                .contains("ppo goes on after iteration 1")
                .doesNotContain("the rollouts of iteration 1 are there already");
        assertThat(weights(config)).isEqualTo(undisturbed);
    }

    @Test
    void wholeRolloutsOfAnUpdateThatWasNotCommittedAreNotMadeAgain() throws IOException {
        RunConfig config = stopped("kept");
        Files.delete(of(config, "ppo/checkpoints/step-00000002/manifest.json"));

        assertThat(finish(config))
                .contains("ppo goes on after iteration 1", "the rollouts of iteration 1 are there already");
        assertThat(weights(config)).isEqualTo(undisturbed);
    }

    private static RunConfig stopped(String name) throws IOException {
        RunConfig config = config(name);
        AtomicReference<Pipeline> pipeline = new AtomicReference<>();
        pipeline.set(
                new Pipeline(session, config, new Notes(2, () -> pipeline.get().interrupt())));
        assertThatThrownBy(pipeline.get()::runPpo)
                .isInstanceOfSatisfying(
                        Rlhf4jException.class, error -> assertThat(error.kind()).isEqualTo(ErrorKind.INTERRUPTED));
        return config;
    }

    private static List<String> finish(RunConfig config) {
        Notes notes = new Notes();
        new Pipeline(session, config, notes).runPpo();
        return notes.lines();
    }

    private static Path fileIn(Path folder, String name) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.getFileName().toString().matches(name))
                    .findFirst()
                    .orElseThrow();
        }
    }

    /** Turns one bit in the middle. */
    private static void damage(Path file) {
        try {
            byte[] bytes = Files.readAllBytes(file);
            bytes[bytes.length / 2] ^= 1;
            Files.write(file, bytes);
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    private static RunConfig config(String name, String... overrides) throws IOException {
        List<String> all = new ArrayList<>(List.of(
                "ppo.iterations=3",
                "ppo.critic_init=actor",
                "ppo.rewards=[{kind: rule, name: short, rule: length, target: 4}]"));
        all.addAll(List.of(overrides));
        return TinyRun.ofThreeSteps(folder, name, all.toArray(String[]::new));
    }

    private static Path of(RunConfig config, String file) {
        return Path.of(config.path()).resolve(file);
    }

    private static byte[] weights(RunConfig config) throws IOException {
        return Files.readAllBytes(of(config, "export/actor/model.safetensors"));
    }
}
