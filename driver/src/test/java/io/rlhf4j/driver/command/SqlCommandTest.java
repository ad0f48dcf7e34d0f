package io.rlhf4j.driver.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.driver.pipeline.TinyRun;
import io.rlhf4j.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A run of two iterations of four prompts, beside whose rollouts lie files that nobody has committed. */
@Timeout(170)
class SqlCommandTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private static Path folder;

    private static String run;

    @BeforeAll
    static void train() throws IOException {
        Path config = Files.writeString(
                folder.resolve("run.yaml"),
                ConfigFile.write(TinyRun.ofThreeSteps(
                        folder,
                        "asked",
                        "ppo.critic_init=actor",
                        "ppo.rewards=[{kind: rule, name: short, rule: length, target: 4}]")));
        ToolRun trained = ToolRun.of("ppo", "--config", config.toString());
        assertThat(trained.exitCode()).as(trained.err()).isZero();
        run = folder.resolve("runs/asked").toString();
        Path committed = parquet(Path.of(run, "rollouts/iteration=00000001"));
        // What a task leaves that was tried again, and what an iteration that never came to its end leaves.
        Files.copy(committed, committed.resolveSibling("part-00009-again.snappy.parquet"));
        Path unfinished = Files.createDirectories(Path.of(run, "rollouts/iteration=00000002"));
        Files.copy(committed, unfinished.resolve("part-00000-unfinished.snappy.parquet"));
    }

    private static Path parquet(Path iteration) throws IOException {
        try (Stream<Path> files = Files.list(iteration)) {
            return files.filter(file -> file.toString().endsWith(".parquet"))
                    .filter(file -> !file.getFileName().toString().startsWith("."))
                    .findFirst()
                    .orElseThrow();
        }
    }

    @Test
    void onlyCommittedRolloutsAreSeenEachOnce() throws IOException {
        List<JsonNode> rows = json(
                "SELECT iteration, count(*) AS answers, count(DISTINCT source, row_key, sample_index)"
                        + " AS different, max(weights_version) AS version FROM rollouts GROUP BY iteration ORDER BY iteration");
        assertThat(rows)
                .extracting(JsonNode::toString)
                .containsExactly(
                        "{\"iteration\":0,\"answers\":4,\"different\":4,\"version\":0}",
                        "{\"iteration\":1,\"answers\":4,\"different\":4,\"version\":1}");
    }

    @Test
    void theTextOfTokensAndTheRunsNumbersAreThere() throws IOException {
        List<JsonNode> rows = json("SELECT response_ids, text(response_ids) AS answer, m.values['score_mean'] AS mean,"
                + " avg(score) OVER (PARTITION BY iteration) AS average FROM rollouts r JOIN metrics m"
                + " ON m.step = 'ppo' AND m.series = 'train' AND m.position = r.iteration + 1");
        assertThat(rows).hasSize(8);
        try (Tokenizer tokenizer = Tokenizer.load(
                new org.apache.hadoop.fs.Path(TinyRun.model("llama").toUri()), new Configuration())) {
            for (JsonNode row : rows) {
                int[] ids = JSON.convertValue(row.get("response_ids"), int[].class);
                assertThat(row.get("answer").asText()).isEqualTo(tokenizer.decode(ids, true));
                assertThat(row.get("mean").asDouble())
                        .isEqualTo(row.get("average").asDouble(), org.assertj.core.api.Assertions.within(1e-12));
            }
        }
    }

    @Test
    void aTableShowsSoManyRowsAndSaysThatThereAreMore() {
        ToolRun table = ToolRun.of(
                "sql", run, "--rows", "3", "SELECT iteration, score, score, score_parts FROM rollouts ORDER BY 1");
        assertThat(table.exitCode()).as(table.err()).isZero();
        List<String> lines = table.out().lines().toList();
        assertThat(lines).hasSize(4);
        assertThat(lines.get(0)).matches("iteration +score +score +score_parts");
        assertThat(lines.get(1)).matches("0 +-?[0-9.E-]+ +-?[0-9.E-]+ +\\{\"short\":-?[0-9.E-]+}");
        assertThat(table.err()).contains("there are more than 3 rows");
    }

    @Test
    void aWrongQueryIsRefusedInASentence() {
        ToolRun wrong = ToolRun.of("sql", run, "SELECT scores FROM rollouts");
        assertThat(wrong.exitCode()).as(wrong.err()).isEqualTo(2);
        assertThat(wrong.err())
                .contains("the query cannot be answered", "scores")
                .doesNotContain("\tat ");
        assertThat(ToolRun.of("sql", run, "SELECT 1/0").exitCode()).isEqualTo(3);
        assertThat(ToolRun.of("sql", folder.toString(), "SELECT 1").exitCode()).isEqualTo(2);
    }

    private static List<JsonNode> json(String query) throws IOException {
        ToolRun asked = ToolRun.of("sql", run, query, "--json");
        assertThat(asked.exitCode()).as(asked.err()).isZero();
        List<JsonNode> rows = new ArrayList<>();
        for (String line : asked.out().lines().toList()) {
            rows.add(JSON.readTree(line));
        }
        return rows;
    }
}
