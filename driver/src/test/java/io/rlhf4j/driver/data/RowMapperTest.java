package io.rlhf4j.driver.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.config.ColumnsConfig;
import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.driver.data.MappedRow.Conversation;
import io.rlhf4j.driver.data.MappedRow.Preferred;
import io.rlhf4j.driver.data.MappedRow.Prompted;
import io.rlhf4j.driver.data.MappedRow.Unlabelled;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RowMapperTest {
    @Test
    void withoutAMappingColumnsOfTheVeryNamesAreTaken() throws Exception {
        assertThat(map("{}", "{\"prompt\": \"p\"}")).singleElement().isInstanceOfSatisfying(Prompted.class, row -> {
            assertThat(row.prompt().text()).isEqualTo("p");
            assertThat(row.response()).isEmpty();
        });
        assertThat(map("{}", "{\"prompt\": \"p\", \"response\": \"r\"}"))
                .singleElement()
                .isInstanceOfSatisfying(
                        Prompted.class, row -> assertThat(row.response()).contains("r"));
        assertThat(map("{}", "{\"text\": \"t\"}")).singleElement().isInstanceOf(Unlabelled.class);
    }

    @Test
    void aTemplateMakesAPromptOfColumns() throws Exception {
        Prompted row = (Prompted) map(
                        "{prompt_template: 'Question: {question}\n\nAnswer:', response: answer, reference: answer}",
                        "{\"question\": \"1 + 1? $0 \\\\1\", \"answer\": \"#### 2\"}")
                .get(0);
        assertThat(row.prompt().text()).isEqualTo("Question: 1 + 1? $0 \\1\nAnswer:");
        assertThat(row.response()).contains("#### 2");
        assertThat(row.reference()).isEqualTo("#### 2");
    }

    @Test
    void dotsLeadIntoNestedColumns() throws Exception {
        Preferred row = (Preferred) map(
                        "{prompt: task.text, chosen: answers.good, rejected: answers.bad, margin: gap}",
                        """
                        {"task": {"text": "p"}, "answers": {"good": "yes", "bad": "no"}, "gap": "0.5"}""")
                .get(0);
        assertThat(row.prompt().text()).isEqualTo("p");
        assertThat(List.of(row.chosen(), row.rejected())).containsExactly("yes", "no");
        assertThat(row.margin()).isEqualTo(0.5);
    }

    @Test
    void wholeDialoguesAreCutAfterTheirCommonBeginning() throws Exception {
        Preferred row = (Preferred) map(
                        "{chosen: chosen, rejected: rejected, dialogue: true}",
                        """
                        {"chosen": "\\n\\nHuman: hi\\n\\nAssistant: hello\\n\\nHuman: a pen?\\n\\nAssistant: Sure, take one.",
                         "rejected": "\\n\\nHuman: hi\\n\\nAssistant: hello\\n\\nHuman: a pen?\\n\\nAssistant: Sure not."}""")
                .get(0);
        assertThat(row.prompt().text()).isEqualTo("\n\nHuman: hi\n\nAssistant: hello\n\nHuman: a pen?\n\nAssistant:");
        assertThat(row.prompt().messages())
                .containsExactly(
                        Map.of("role", "user", "content", "hi"),
                        Map.of("role", "assistant", "content", "hello"),
                        Map.of("role", "user", "content", "a pen?"));
        assertThat(List.of(row.chosen(), row.rejected())).containsExactly(" Sure, take one.", " Sure not.");
    }

    @Test
    void aRankingIsAllItsPairs() throws Exception {
        assertThat(map("{prompt: p, responses: r}", "{\"p\": \"q\", \"r\": [\"a\", \"b\", \"c\"]}"))
                .extracting(row -> ((Preferred) row).chosen() + ((Preferred) row).rejected())
                .containsExactly("ab", "ac", "bc");
    }

    @Test
    void messagesAreKeptAsTheyAre() throws Exception {
        Conversation row = (Conversation)
                map("{messages: turns}", "{\"turns\": [{\"role\": \"user\", \"content\": \"hi\", \"name\": \"x\"}]}")
                        .get(0);
        assertThat(row.messages()).containsExactly(Map.of("role", "user", "content", "hi", "name", "x"));
    }

    @Test
    void aRowThatDoesNotFitSaysWhy() {
        assertUnusable("{prompt: p}", "{\"p\": ", "not JSON");
        assertUnusable("{prompt: p}", "[1]", "not a JSON object");
        assertUnusable("{prompt: p}", "{\"p\": null}", "column 'p' is missing");
        assertUnusable("{prompt: p}", "{\"p\": [1]}", "column 'p' is no text");
        assertUnusable(
                "{prompt: p, chosen: c, rejected: r}",
                "{\"p\": \"a\", \"c\": \"b\"}",
                "column 'r' is missing; the row has p, c");
        assertUnusable("{}", "{\"question\": \"q\"}", "none of its columns is mapped");
        assertUnusable(
                "{chosen: c, rejected: r, dialogue: true}",
                "{\"c\": \"\\n\\nHuman: a\\n\\nAssistant: b\", \"r\": \"something else\"}",
                "no common beginning");
        assertUnusable("{messages: m}", "{\"m\": [{\"content\": \"x\"}]}", "a message has no role");
    }

    @Test
    void rowsOfOneGroupHaveOneGroup() throws Exception {
        RowMapper mapper = mapper("{prompt: p, group: g}");
        assertThat(mapper.map(new RawRow("a:1", "{\"p\": \"x\", \"g\": 7}")).group())
                .contains("7");
        assertThat(mapper("{prompt: p}")
                        .map(new RawRow("a:1", "{\"p\": \"x\"}"))
                        .group())
                .isEmpty();
    }

    private static void assertUnusable(String columns, String json, String reason) {
        assertThatThrownBy(() -> map(columns, json))
                .isInstanceOf(UnusableRowException.class)
                .hasMessageContaining(reason);
    }

    private static List<MappedRow> map(String columns, String json) throws UnusableRowException {
        return mapper(columns).map(new RawRow("rows.jsonl:1", json)).rows();
    }

    private static RowMapper mapper(String columns) {
        return new RowMapper(ConfigFile.parse(ColumnsConfig.class, columns));
    }
}
