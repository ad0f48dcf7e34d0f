package io.rlhf4j.driver.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.Step;
import io.rlhf4j.driver.spark.LocalSpark;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.run.MetricsRow;
import io.rlhf4j.run.RunFolder;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PpoStepTest {
    private static SparkSession session;

    @TempDir
    private Path folder;

    @BeforeAll
    static void startSpark() {
        session = LocalSpark.start(2);
    }

    @AfterAll
    static void stopSpark() {
        session.stop();
    }

    @Test
    void rolloutsAreATableAndTheActorAModelDirectory() throws IOException {
        RunConfig config = config("table", 2);
        StepResult result = new Pipeline(session, config, Progress.silent()).runPpo();

        session.read().parquet(config.path() + "/rollouts").createOrReplaceTempView("rollouts");
        List<Row> rows = session.sql("SELECT iteration, count(*), min(weights_version), max(weights_version),"
                        + " min(size(response_ids) - size(values)), avg(score), min(score_parts['short']),"
                        + " count(DISTINCT row_key) FROM rollouts GROUP BY iteration ORDER BY iteration")
                .collectAsList();
        assertThat(rows).hasSize(2);
        for (int iteration = 0; iteration < 2; iteration++) {
            Row row = rows.get(iteration);
            assertThat(row.getInt(0)).isEqualTo(iteration);
            assertThat(row.getLong(1)).isEqualTo(8);
            assertThat(row.getLong(2)).isEqualTo(iteration);
            assertThat(row.getLong(3)).isEqualTo(iteration);
            assertThat(row.getInt(4)).isZero();
            assertThat(row.getLong(7)).isEqualTo(4);
        }
        assertThat(session.table("rollouts").columns())
                .contains(
                        "row_key",
                        "source",
                        "sample_index",
                        "prompt_ids",
                        "response_ids",
                        "response_mask",
                        "rollout_logp",
                        "old_logp",
                        "ref_logp",
                        "values",
                        "score",
                        "rewards",
                        "advantages",
                        "returns",
                        "weights_version",
                        "finish_reason");
        assertThat(result.steps()).isEqualTo(2);
        assertThat(result.before())
                .containsOnlyKeys(
                        "evaluation/reward",
                        "evaluation/reward_interval",
                        "evaluation/response_length",
                        "evaluation/eos_rate",
                        "evaluation/kl_sum");
        assertThat(result.after()).containsOnlyKeys(result.before().keySet());
        assertThat(result.exports()).containsOnlyKeys("actor", "critic", "actor-ema");
        for (String directory : result.exports().values()) {
            assertThat(Path.of(directory)).isDirectoryContaining("glob:**/model.safetensors");
            assertThat(Path.of(directory)).isDirectoryContaining("glob:**/tokenizer.json");
        }
        assertThat(new EvaluatedAnswers(RunFolder.of(config, new Configuration()), new Configuration()).of(Step.PPO))
                .containsOnlyKeys(0L, 2L)
                .allSatisfy((position, answers) -> assertThat(answers)
                        .hasSize(4)
                        .allSatisfy(answer -> assertThat(answer.prompt()).contains("question")));
        assertThat(metrics(config)).hasSize(2).allSatisfy(PpoStepTest::tellsWhereTimeAndMemoryWent);
        assertThat(weights(config, "actor")).isNotEqualTo(Files.readAllBytes(tiny().resolve("model.safetensors")));
    }

    private static void tellsWhereTimeAndMemoryWent(Map<String, Double> metrics) {
        assertThat(metrics.get("seconds_generate")
                        + metrics.get("seconds_score")
                        + metrics.get("seconds_train_actor")
                        + metrics.get("seconds_train_critic")
                        + metrics.get("seconds_publish"))
                .isPositive()
                .isLessThan(metrics.get("seconds_iteration"));
        assertThat(metrics)
                .containsEntry("dropped_rate", 0.0)
                .containsKeys("truncated_rate", "seconds_rollout", "seconds_communicate");
        assertThat(metrics.get("tokens_per_second_generate")).isPositive();
        assertThat(metrics.get("tokens_per_second_train")).isPositive();
        // Weights alone of two models in training and four that only compute, of some 100,000 fp32 parameters each.
        assertThat(metrics.get("memory_peak_bytes")).isGreaterThan(1e6);
        assertThat(metrics.get("memory_resident_peak_bytes")).isGreaterThan(metrics.get("memory_peak_bytes"));
    }

    private static List<Map<String, Double>> metrics(RunConfig config) throws IOException {
        return RunFolder.of(config, new Configuration()).openMetrics().rows().stream()
                .filter(row -> row.series().equals("train"))
                .map(MetricsRow::values)
                .toList();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 3})
    void aRunThatIsStoppedAndStartedAgainGivesTheSameBitsAtEveryStage(int stage) throws IOException {
        RunConfig whole = config("whole-" + stage, 4);
        new Pipeline(session, whole, Progress.silent()).runPpo();

        RunConfig stopped =
                config("stopped-" + stage, 4, "cluster.zero.actor=" + stage, "cluster.zero.critic=" + stage);
        StopAfter stop = new StopAfter(3);
        Pipeline first = new Pipeline(session, stopped, stop);
        stop.pipeline = first;
        assertThatThrownBy(first::runPpo)
                .isInstanceOfSatisfying(
                        Rlhf4jException.class, error -> assertThat(error.kind()).isEqualTo(ErrorKind.INTERRUPTED));
        assertThat(Path.of(stopped.path(), "ppo/checkpoints/step-00000002/manifest.json"))
                .exists();
        assertThat(Path.of(stopped.path(), "ppo/checkpoints/step-00000003")).doesNotExist();
        new Pipeline(session, stopped, Progress.silent()).runPpo();

        for (String model : List.of("actor", "critic", "actor-ema")) {
            assertThat(weights(stopped, model)).as(model).isEqualTo(weights(whole, model));
        }
    }

    @Test
    void rolloutsAreGeneratedInTheTypeThatIsAskedForAndTrainedInTheirOwn() throws IOException {
        RunConfig config = config("narrow", 1, "compute.generation=bf16");
        new Pipeline(session, config, Progress.silent()).runPpo();

        Row differences = session.read()
                .parquet(config.path() + "/rollouts")
                .selectExpr("explode(zip_with(rollout_logp, old_logp, (x, y) -> abs(x - y))) AS generation", "*")
                .selectExpr(
                        "max(generation)",
                        "max(aggregate(zip_with(ref_logp, old_logp, (x, y) -> abs(x - y)),"
                                + " cast(0 as float), (x, y) -> greatest(x, y)))")
                .first();
        // PyTorch finds up to 0.29 between the two types of this model.
        assertThat(differences.getFloat(0)).isBetween(1e-3f, 0.4f);
        // The reference is the actor as it began, in fp32.
        assertThat(differences.getFloat(1)).isLessThan(1e-5f);
    }

    @Test
    void batchInvariantRolloutsAreTheSameBitsHoweverTheyAreDivided() throws IOException {
        RunConfig one = config("one", 1, "cluster.batch_invariant=true", "cluster.rollout_partitions=1");
        RunConfig three = config("three", 1, "cluster.batch_invariant=true", "cluster.rollout_partitions=3");
        new Pipeline(session, one, Progress.silent()).runPpo();
        new Pipeline(session, three, Progress.silent()).runPpo();

        assertThat(rollouts(three)).hasSize(8).isEqualTo(rollouts(one));
        assertThat(weights(three, "actor")).isEqualTo(weights(one, "actor"));
    }

    private static List<String> rollouts(RunConfig config) {
        return session.read()
                .parquet(config.path() + "/rollouts")
                .orderBy("source", "row_key", "sample_index")
                .toJSON()
                .collectAsList();
    }

    @Test
    void aRewardModelOfAnotherVocabularyIsRefused() throws IOException {
        RunConfig config =
                config("vocabulary", 1, "ppo.critic_init=reward", "ppo.reward_model=" + tiny().resolveSibling("opt"));
        assertThatThrownBy(() -> new Pipeline(session, config, Progress.silent()).runPpo())
                .isInstanceOfSatisfying(
                        Rlhf4jException.class, error -> assertThat(error.kind()).isEqualTo(ErrorKind.CONFIGURATION))
                .hasMessageContaining("vocabular");
    }

    /** Stops the pipeline when so many iterations are done. */
    private static final class StopAfter implements Progress {
        private final long iterations;
        private Pipeline pipeline;

        StopAfter(long iterations) {
            this.iterations = iterations;
        }

        @Override
        public void begin(String phase, long done, long total) {}

        @Override
        public void advance(String phase, long done, Map<String, Double> metrics) {
            if (phase.equals("ppo") && done == iterations) {
                pipeline.interrupt();
            }
        }

        @Override
        public void end(String phase) {}

        @Override
        public void note(String line) {}
    }

    /** Checkpoints come after every second iteration: what is stopped after the third restores one and repeats one. */
    private RunConfig config(String name, int iterations, String... overrides) throws IOException {
        Path prompts = folder.resolve("prompts.jsonl");
        List<String> lines = IntStream.range(0, 40)
                .mapToObj(i -> "{\"prompt\": \"question %d?\"}".formatted(i))
                .toList();
        Files.write(prompts, lines);
        String yaml =
                """
                name: %s
                folder: %s
                models: {actor: %s}
                data:
                  sources: [{path: %s, steps: [ppo], held_out: 0.2, columns: {prompt: prompt}}]
                ppo:
                  iterations: %d
                  prompts: 4
                  samples: 2
                  epochs: 1
                  minibatches: 2
                  critic_init: actor
                  actor_optimizer: {learning_rate: 0.001}
                  sampling: {max_new_tokens: 8}
                  rewards: [{kind: rule, name: short, rule: length, target: 4}]
                checkpoints: {every_iterations: 2}
                cluster: {ranks: 2, threads: 1}
                evaluation: {sampling: {temperature: 1, max_new_tokens: 8}}
                """
                        .formatted(name, folder, tiny(), prompts, iterations);
        return ConfigFile.read(yaml, "test", Arrays.asList(overrides));
    }

    private static Path tiny() {
        try {
            return Path.of(PpoStepTest.class.getResource("/tiny/llama").toURI());
        } catch (URISyntaxException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static byte[] weights(RunConfig config, String model) throws IOException {
        return Files.readAllBytes(Path.of(config.path(), "export", model, "model.safetensors"));
    }
}
