package io.rlhf4j.driver.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rlhf4j.driver.pipeline.TinyModel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code generate} and {@code chat} with a tiny llama, whose context is of 64 tokens. */
@Timeout(120)
class AnswersTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String LENGTH = "max_new_tokens=4";

    @TempDir
    Path folder;

    private String model;

    @BeforeEach
    void copyModel() throws IOException {
        Path directory = TinyModel.copy("llama", folder.resolve("model"));
        Files.writeString(
                directory.resolve("chat_template.jinja"),
                "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
                        + "{% if add_generation_prompt %}assistant:{% endif %}");
        model = directory.toString();
    }

    @Test
    void promptsAreAnsweredGreedilyInTheirOrder() throws IOException {
        List<JsonNode> both = generate("what is it", "a house");
        assertThat(both).extracting(line -> line.get("prompt").asText()).containsExactly("what is it", "a house");
        assertThat(both).allSatisfy(line -> {
            assertThat(line.get("finish_reason").asText()).isIn("length", "eos");
            assertThat(line.get("response_ids").size()).isBetween(1, 4);
            assertThat(line.get("log_probs").size())
                    .isEqualTo(line.get("response_ids").size());
            line.get("log_probs").forEach(each -> assertThat(each.doubleValue()).isNegative());
        });
        // An answer does not depend on what is asked beside it.
        assertThat(generate("a house").get(0).get("response_ids"))
                .isEqualTo(both.get(1).get("response_ids"));
    }

    @Test
    void promptsOfAFileMayBeJsonOrPlainAndComeFromAnyEditor() throws IOException {
        Path file = folder.resolve("prompts.txt");
        Files.writeString(file, "\ufeff{\"prompt\": \"what is it\"}\r\n\r\n a house \r\n", StandardCharsets.UTF_8);
        List<JsonNode> lines = generate("--input", file.toString());
        assertThat(lines).extracting(line -> line.get("prompt").asText()).containsExactly("what is it", " a house ");
        assertThat(lines.get(0).get("response_ids"))
                .isEqualTo(generate("what is it").get(0).get("response_ids"));
    }

    @Test
    void aFileWithoutTheKeyOrWithoutPromptsIsRefused() throws IOException {
        Path file = Files.writeString(folder.resolve("rows.jsonl"), "{\"prompt\": \"a\"}\n{\"question\": \"b\"}\n");
        ToolRun unknown = ToolRun.of("generate", "--model", model, "--input", file.toString());
        assertThat(unknown.exitCode()).isEqualTo(3);
        assertThat(unknown.err()).contains("rows.jsonl:2: there is no text under 'prompt'", "--prompt-key");

        ToolRun empty = ToolRun.of(
                "generate",
                "--model",
                model,
                "--input",
                Files.writeString(file, "\n").toString());
        assertThat(empty.exitCode()).isEqualTo(3);
        assertThat(empty.err()).contains("rows.jsonl: holds no prompt");
    }

    @Test
    void aConversationRemembersUntilItBeginsAnew() {
        List<String> answers = chat("what is it\nwhat is it\n/new\nwhat is it\n/exit\nnever read\n");
        assertThat(answers).hasSize(3);
        assertThat(answers.get(2)).isEqualTo(answers.get(0)).isEqualTo(onlyAnswer("what is it"));
        assertThat(answers.get(1)).isNotEqualTo(answers.get(0));
    }

    @Test
    void aQuestionThatIsTooLongIsToldAndTheConversationGoesOn() {
        ToolRun run = ToolRun.reading("word ".repeat(80) + "\nwhat is it\n", "chat", "--model", model, "--set", LENGTH);
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.err()).contains("the model's context 64; shorten it, or begin anew with /new");
        assertThat(run.out().lines().toList()).containsExactly(onlyAnswer("what is it"));
    }

    private List<JsonNode> generate(String... arguments) throws IOException {
        List<String> all = new ArrayList<>(List.of("generate", "--model", model, "--json", "--set", LENGTH));
        all.addAll(Arrays.asList(arguments));
        ToolRun run = ToolRun.of(all.toArray(String[]::new));
        assertThat(run.exitCode()).as(run.err()).isZero();
        List<JsonNode> lines = new ArrayList<>();
        for (String line : run.out().lines().toList()) {
            lines.add(JSON.readTree(line));
        }
        return lines;
    }

    private String onlyAnswer(String prompt) {
        return ToolRun.of("generate", "--model", model, "--set", LENGTH, prompt)
                .out()
                .lines()
                .findFirst()
                .orElseThrow();
    }

    private List<String> chat(String typed) {
        ToolRun run = ToolRun.reading(typed, "chat", "--model", model, "--set", LENGTH);
        assertThat(run.exitCode()).as(run.err()).isZero();
        return run.out().lines().toList();
    }
}
