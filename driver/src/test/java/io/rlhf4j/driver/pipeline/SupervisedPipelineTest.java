package io.rlhf4j.driver.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.driver.spark.LocalSpark;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.run.MetricsRow;
import io.rlhf4j.run.RunFolder;
import io.rlhf4j.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(170)
class SupervisedPipelineTest {
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
    void fineTuningLowersTheLossOfHeldOutRows() throws IOException {
        StepResult result =
                pipeline(TinyRun.in(folder, "sft"), Progress.silent()).runSft();
        assertThat(result.steps()).isEqualTo(10);
        assertThat(result.before()).containsKey("loss");
        assertThat(result.after().get("loss")).isLessThan(result.before().get("loss"));
        assertThat(weights("sft", "sft")).isNotEmpty();
        assertThat(folder.resolve("runs/sft/export/sft/tokenizer.json")).exists();
    }

    @Test
    void aChatTemplateOfTheConfigurationFormsTheRowsAndGoesWithTheModel() throws IOException {
        Path template = Files.writeString(
                folder.resolve("template.jinja"),
                "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}");
        RunConfig config =
                TinyRun.in(folder, "chat", "data.chat=always", "models.chat_template=" + template, "sft.max_steps=1");
        pipeline(config, Progress.silent()).runSft();

        assertThat(folder.resolve("runs/chat/export/sft/chat_template.jinja")).hasSameTextualContentAs(template);
        List<Integer> row = session.read()
                .parquet(config.path() + "/data/prepared")
                .where("source = 'demonstrations'")
                .select("ids")
                .first()
                .getList(0);
        try (Tokenizer tokenizer =
                Tokenizer.load(new org.apache.hadoop.fs.Path(config.models().actor()), new Configuration())) {
            assertThat(tokenizer.decode(row.stream().mapToInt(Integer::intValue).toArray(), true))
                    .matches("<user>What is \\d+ plus one\\?<assistant> ?It is one more.*");
        }
    }

    @Test
    void aRunThatMayBeSmallerGoesOnWithTheRanksThatFindAPlace() throws IOException {
        List<String> notes = new ArrayList<>();
        RunConfig config = TinyRun.in(folder, "elastic", "cluster.ranks=3", "cluster.elastic=true");
        StepResult result = pipeline(config, new Heard() {
                    @Override
                    public void advance(String phase, long done, Map<String, Double> metrics) {}

                    @Override
                    public void note(String line) {
                        notes.add(line);
                    }
                })
                .runSft();
        assertThat(notes).anySatisfy(line -> assertThat(line).contains("goes on with 2 of 3 ranks"));
        assertThat(result.after().get("loss")).isLessThan(result.before().get("loss"));
    }

    @Test
    void theRewardModelLearnsToPreferWhatWasChosen() throws IOException {
        StepResult result =
                pipeline(TinyRun.in(folder, "reward"), Progress.silent()).runReward();
        assertThat(result.after().get("loss")).isLessThan(result.before().get("loss"));
        assertThat(weights("reward", "reward")).isNotEmpty();
    }

    @Test
    void modelsThatAreCutAmongTheRanksAreTrainedToTheSameBits() throws IOException {
        RunConfig whole = TinyRun.in(folder, "replicated", "sft.max_steps=3", "reward.max_steps=3");
        RunConfig cut = TinyRun.in(
                folder,
                "cut",
                "sft.max_steps=3",
                "reward.max_steps=3",
                "cluster.zero={sft: 3, reward: 2}",
                "checkpoints.every_steps=2");
        for (RunConfig config : List.of(whole, cut)) {
            pipeline(config, Progress.silent()).runSft();
            pipeline(config, Progress.silent()).runReward();
        }
        for (String model : List.of("sft", "reward")) {
            assertThat(weights("cut", model)).as(model).isEqualTo(weights("replicated", model));
        }
    }

    @Test
    void aStepThatIsDoneIsNotRepeated() throws IOException {
        RunConfig config = TinyRun.in(folder, "twice", "steps=[sft, reward]");
        assertThat(pipeline(config, Progress.silent()).runAll())
                .isEqualTo(pipeline(config, refusing()).runAll());
    }

    @Test
    void anInterruptedStepGoesOnToTheSameWeightsBitForBit() throws IOException {
        pipeline(TinyRun.in(folder, "whole"), Progress.silent()).runSft();
        assertThat(evaluated("whole")).containsExactly(0L, 10L);

        // That it is evaluated on the way changes no bit either.
        RunConfig config = TinyRun.in(folder, "halves", "evaluation.every_steps=4");
        AtomicReference<Pipeline> running = new AtomicReference<>();
        running.set(pipeline(config, new Heard() {
            @Override
            public void advance(String phase, long done, Map<String, Double> metrics) {
                if (done == 4) {
                    running.get().interrupt();
                }
            }
        }));
        assertThatThrownBy(running.get()::runSft)
                .isInstanceOfSatisfying(Rlhf4jException.class, thrown -> assertThat(thrown.kind())
                        .isEqualTo(ErrorKind.INTERRUPTED));
        assertThat(folder.resolve("runs/halves/export/sft")).doesNotExist();

        pipeline(config, Progress.silent()).runSft();
        assertThat(weights("halves", "sft")).isEqualTo(weights("whole", "sft"));
        assertThat(trained("halves")).isEqualTo(trained("whole"));
        assertThat(evaluated("halves")).containsExactly(0L, 4L, 8L, 10L);
    }

    private Pipeline pipeline(RunConfig config, Progress progress) {
        return new Pipeline(session, config, progress);
    }

    private byte[] weights(String run, String export) throws IOException {
        return Files.readAllBytes(folder.resolve("runs/%s/export/%s/model.safetensors".formatted(run, export)));
    }

    /** How many training steps the metrics tell of. */
    private long trained(String run) throws IOException {
        try (Stream<String> lines = Files.lines(folder.resolve("runs/%s/metrics.jsonl".formatted(run)))) {
            return lines.filter(line -> line.contains("\"train\"")).count();
        }
    }

    /** After how many steps held-out rows were looked at. */
    private List<Long> evaluated(String run) throws IOException {
        return new RunFolder(new org.apache.hadoop.fs.Path(folder + "/runs/" + run), new Configuration())
                .openMetrics().rows().stream()
                        .filter(row -> row.series().equals("evaluation"))
                        .peek(row -> assertThat(row.values()).containsKeys("loss", "perplexity"))
                        .map(MetricsRow::position)
                        .toList();
    }

    /** Refuses that anything is trained. */
    private static Progress refusing() {
        return new Heard() {
            @Override
            public void advance(String phase, long done, Map<String, Double> metrics) {
                throw new AssertionError(phase + " was repeated");
            }
        };
    }

    /** Hears nothing, but for what a test overrides. */
    private abstract static class Heard implements Progress {
        @Override
        public void begin(String phase, long done, long total) {}

        @Override
        public void end(String phase) {}

        @Override
        public void note(String line) {}
    }
}
