package io.rlhf4j.driver.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.Step;
import io.rlhf4j.data.TrainingRow;
import io.rlhf4j.driver.pipeline.TinyRun;
import io.rlhf4j.driver.spark.LocalSpark;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.run.RunFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class DataPreparationTest {
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
    void everyRowIsCountedOnce() throws IOException {
        List<String> lines = good(20);
        lines.add(lines.get(0));
        lines.add("{\"prompt\": \"too long\", \"response\": \"%s\"}".formatted("word ".repeat(300)));
        DataReport.SourceReport source = prepare(lines, "sft", "data.allow_leakage=true")
                .report()
                .sources()
                .get(0);
        assertThat(source.read()).isEqualTo(22);
        assertThat(source.used()).containsExactly(Map.entry("sft", 21L));
        assertThat(source.dropped().values()).containsExactly(1L);
        assertThat(source.quarantined()).isEmpty();
        assertThat(source.duplicates()).isEqualTo(1);
    }

    @Test
    void rowsThatAModelCannotReadAreDroppedAndTheReasonNamesItsContext() throws IOException {
        List<String> lines = good(20);
        lines.add("{\"prompt\": \"%s\", \"response\": \"short\"}".formatted("question ".repeat(70)));
        lines.add("{\"prompt\": \"short\", \"response\": \"%s\"}".formatted("answer ".repeat(70)));
        // The model's context is of 64 tokens, and data.max_prompt_tokens and max_response_tokens allow more.
        DataReport.SourceReport source =
                prepare(lines, "sft").report().sources().get(0);
        assertThat(source.used()).containsExactly(Map.entry("sft", 20L));
        assertThat(source.dropped())
                .containsOnlyKeys(
                        "prompt too long for the context of the step's models",
                        "response too long for the context of the step's models");
    }

    @Test
    void promptsLeaveRoomForTheLongestAnswer() throws IOException {
        PreparedData nothing = prepare(good(20), "ppo", "ppo.sampling.max_new_tokens=63");
        assertThatThrownBy(() -> nothing.training(Step.PPO, 0))
                .isInstanceOfSatisfying(Rlhf4jException.class, thrown -> assertThat(thrown.kind())
                        .isEqualTo(ErrorKind.DATA))
                .hasMessageContaining("prompt too long for the context of the step's models");
    }

    @Test
    void unusableRowsAreSetAsideAndTheRestIsUsed() throws IOException {
        List<String> lines = good(20);
        lines.add("{\"prompt\": \"no response\"}");
        lines.add("this is no JSON");
        DataReport.SourceReport source = prepare(lines, "sft", "data.quarantine_share=0.2")
                .report()
                .sources()
                .get(0);
        assertThat(source.used()).containsEntry("sft", 20L);
        assertThat(source.quarantined().values().stream()
                        .mapToLong(Long::longValue)
                        .sum())
                .isEqualTo(2);
        assertThat(session.read()
                        .parquet(folder.resolve("runs/data/data/quarantine").toString())
                        .count())
                .isEqualTo(2);
    }

    @Test
    void rowsOfOnePromptAreHeldOutTogether() throws IOException {
        List<String> lines = new ArrayList<>();
        for (String line : good(40)) {
            lines.add(line);
            lines.add(line.replace("\"response\": \"", "\"response\": \"another "));
        }
        Map<String, Long> used = prepare(lines, "sft", "data.sources.0.held_out=0.5")
                .report()
                .sources()
                .get(0)
                .used();
        assertThat(used.get("sft") + used.get("sft-heldout")).isEqualTo(80);
        assertThat(used.get("sft") % 2).isZero();
    }

    @Test
    void tooManyUnusableRowsStopTheRun() throws IOException {
        List<String> lines = good(10);
        lines.add("this is no JSON");
        assertThatThrownBy(() -> prepare(lines, "sft")).isInstanceOfSatisfying(Rlhf4jException.class, thrown -> {
            assertThat(thrown.kind()).isEqualTo(ErrorKind.DATA);
            assertThat(thrown).hasMessageContaining("1 of 11 rows");
        });
    }

    @Test
    void noRowsAreAnErrorOfTheData() throws IOException {
        PreparedData empty = prepare(List.of(), "sft");
        assertThatThrownBy(() -> empty.training(Step.SFT, 0)).isInstanceOfSatisfying(Rlhf4jException.class, thrown -> {
            assertThat(thrown.kind()).isEqualTo(ErrorKind.DATA);
            assertThat(thrown.kind().exitCode()).isEqualTo(3);
        });
    }

    @Test
    void rowsComeInTheOrderAskedFor() throws IOException {
        PreparedData data = prepare(good(20), "sft");
        long[] ids = data.training(Step.SFT, 0).take(0, 20);
        List<TrainingRow> rows = data.trainingRows(ids);
        assertThat(rows).hasSize(20).extracting(TrainingRow::key).doesNotHaveDuplicates();
        assertThat(data.trainingRows(new long[] {ids[3], ids[1]}))
                .extracting(TrainingRow::key)
                .containsExactly(rows.get(3).key(), rows.get(1).key());
    }

    @Test
    void preparingAgainGivesTheSameSnapshotAndOtherSourcesAreRefused() throws IOException {
        String first = prepare(good(20), "sft").report().snapshot();
        assertThat(prepare(good(20), "sft").report().snapshot()).isEqualTo(first);
        assertThatThrownBy(() -> prepare(good(20), "reward"))
                .isInstanceOfSatisfying(Rlhf4jException.class, thrown -> assertThat(thrown.kind())
                        .isEqualTo(ErrorKind.CONFIGURATION));
    }

    private static List<String> good(int count) {
        return new ArrayList<>(IntStream.range(0, count)
                .mapToObj("{\"prompt\": \"question %1$d\", \"response\": \"answer %1$d\"}"::formatted)
                .toList());
    }

    private PreparedData prepare(List<String> lines, String step, String... overrides) throws IOException {
        Path source = TinyRun.lines(folder, "rows.jsonl", lines);
        String yaml =
                """
                name: data
                folder: %s
                models: {actor: "%s"}
                data: {chat: never, sources: [{path: "%s", steps: [%s]}]}
                """
                        .formatted(folder.resolve("runs"), TinyRun.model("llama"), source, step);
        RunConfig config = ConfigFile.read(yaml, "data.yaml", List.of(overrides));
        return new DataPreparation(
                        session,
                        config,
                        RunFolder.of(config, session.sparkContext().hadoopConfiguration()))
                .prepare();
    }
}
