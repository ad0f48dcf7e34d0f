package io.rlhf4j.driver.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.driver.files.FaultyFileSystem;
import io.rlhf4j.driver.spark.LocalSpark;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.run.MetricsRow;
import io.rlhf4j.run.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Tasks sample answers with the actor alone; the ranks score them, by models of which each has a part. */
@Timeout(900)
class ScoringByRanksTest {
    private static final String ALL_CUT = "cluster.zero={actor: 3, critic: 3, reference: 3, reward_model: 3}";

    private static SparkSession session;

    @TempDir
    private static Path folder;

    private static RunConfig cut;

    @BeforeAll
    static void start() throws IOException {
        session = LocalSpark.start(3);
        cut = config("cut", ALL_CUT);
        new Pipeline(session, cut, Progress.silent()).runPpo();
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
    void modelsThatAreCutGiveTheBitsOfWholeOnes() throws IOException {
        RunConfig whole = config("whole", "cluster.scoring=ranks");
        new Pipeline(session, whole, Progress.silent()).runPpo();

        assertThat(rollouts(cut)).hasSize(24).isEqualTo(rollouts(whole));
        for (String model : List.of("actor", "critic", "actor-ema")) {
            assertThat(weights(cut, model)).as(model).isEqualTo(weights(whole, model));
        }
        assertThat(evaluations(cut)).hasSize(2).isEqualTo(evaluations(whole));
        assertThat(weights(cut, "actor"))
                .isNotEqualTo(Files.readAllBytes(TinyRun.model("llama").resolve("model.safetensors")));
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void statesAndPublishedWeightsOnDiskGiveTheSameBits() throws IOException {
        Path disk = folder.resolve("disk");
        RunConfig onDisk = config(
                "on-disk", ALL_CUT, "cluster.offload={optimizer: disk, rollout: disk, folder: %s}".formatted(disk));
        new Pipeline(session, onDisk, Progress.silent()).runPpo();

        assertThat(rollouts(onDisk)).isEqualTo(rollouts(cut));
        for (String model : List.of("actor", "critic", "actor-ema")) {
            assertThat(weights(onDisk, model)).as(model).isEqualTo(weights(cut, model));
        }
        assertThat(disk).isEmptyDirectory();
    }

    /** Other answers stand beside one another in a micro-batch: the same numbers but for rounding. */
    @Test
    void tasksThatScoreGiveTheSameNumbersToRounding() throws IOException {
        RunConfig tasks = config("tasks", "cluster.scoring=tasks");
        new Pipeline(session, tasks, Progress.silent()).runPpo();

        List<Row> expected = firstIteration(tasks);
        List<Row> actual = firstIteration(cut);
        assertThat(actual).hasSize(8);
        for (int i = 0; i < actual.size(); i++) {
            assertThat(actual.get(i).getList(3)).isEqualTo(expected.get(i).getList(3));
            assertThat(actual.get(i).getDouble(4)).isCloseTo(expected.get(i).getDouble(4), within(1e-5));
            for (String column : List.of("old_logp", "ref_logp", "values", "rewards", "advantages", "returns")) {
                assertClose(
                        actual.get(i).getList(actual.get(i).fieldIndex(column)),
                        expected.get(i).getList(expected.get(i).fieldIndex(column)));
            }
        }
        List<Map<String, Double>> numbers = evaluations(cut);
        List<Map<String, Double>> others = evaluations(tasks);
        // Before the first step: what training does with rounding is another matter.
        others.get(0)
                .forEach((name, value) ->
                        assertThat(numbers.get(0).get(name)).as(name).isCloseTo(value, within(1e-4)));
    }

    private static void assertClose(List<Float> actual, List<Float> expected) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.size(); i++) {
            assertThat(actual.get(i)).isCloseTo(expected.get(i), within(1e-4f));
        }
    }

    @Test
    void anUpdateThatFailsScoresAgainAndNoRowIsLostOrDoubled() throws IOException {
        FaultyFileSystem.once("weights/version=00000002/", 0, () -> {
            throw new IOException("the disk went away");
        });
        RunConfig failing = config(
                "failing",
                ALL_CUT,
                "folder=faulty:" + folder.resolve("runs"),
                "cluster.attempts=2",
                "cluster.backoff=0s");
        new Pipeline(session, failing, Progress.silent()).runPpo();
        assertThat(FaultyFileSystem.clear()).isFalse();

        assertThat(rollouts(failing)).isEqualTo(rollouts(cut));
        assertThat(weights(failing, "actor")).isEqualTo(weights(cut, "actor"));
    }

    @Test
    void aModelThatIsCutCannotBeLeftToTasks() {
        assertThatThrownBy(() -> config("refused", ALL_CUT, "cluster.scoring=tasks"))
                .isInstanceOf(Rlhf4jException.class)
                .hasMessageContaining("cluster.scoring")
                .hasMessageContaining("a task alone has a part of them");
    }

    private static RunConfig config(String name, String... overrides) throws IOException {
        List<String> all = new ArrayList<>(List.of(
                "folder=" + folder.resolve("runs"),
                "ppo={iterations: 3, prompts: 4, samples: 2, epochs: 1, minibatches: 2, critic_init: actor}",
                "ppo.sampling.max_new_tokens=8",
                "ppo.reward_model=" + TinyRun.model("llama"),
                "ppo.actor_optimizer.learning_rate=1.0e-3",
                "ppo.rewards=[{kind: model, name: judge}, {kind: rule, name: short, rule: length, target: 4}]",
                "checkpoints.every_iterations=2",
                "cluster.ranks=3"));
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

    private static List<Row> firstIteration(RunConfig config) {
        return session.read()
                .parquet(config.path() + "/rollouts/iteration=00000000")
                .orderBy("source", "row_key", "sample_index")
                .select(
                        "row_key",
                        "sample_index",
                        "weights_version",
                        "response_ids",
                        "score",
                        "old_logp",
                        "ref_logp",
                        "values",
                        "rewards",
                        "advantages",
                        "returns")
                .collectAsList();
    }

    private static List<Map<String, Double>> evaluations(RunConfig config) throws IOException {
        return RunFolder.of(config, new Configuration()).openMetrics().rows().stream()
                .filter(row -> row.series().equals("evaluation"))
                .map(MetricsRow::values)
                .toList();
    }

    private static byte[] weights(RunConfig config, String model) throws IOException {
        return Files.readAllBytes(
                folder.resolve("runs").resolve(config.name()).resolve("export/" + model + "/model.safetensors"));
    }
}
