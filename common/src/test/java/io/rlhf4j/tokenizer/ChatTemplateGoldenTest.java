package io.rlhf4j.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.golden.GoldenFolder;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every golden conversation as transformers renders it, or refused with the template's own words. */
class ChatTemplateGoldenTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    static List<Path> folders() {
        return GoldenFolder.cases("chat");
    }

    @ParameterizedTest
    @MethodSource("folders")
    void everyConversationIsRenderedAsByTransformers(Path folder) {
        JsonNode config = GoldenFolder.json(folder.resolve("tokenizer_config.json"));
        Map<String, String> specialTokens = new LinkedHashMap<>();
        config.properties().stream()
                .filter(field -> field.getKey().endsWith("_token"))
                .forEach(field ->
                        specialTokens.put(field.getKey(), field.getValue().asText()));
        ChatTemplate template = ChatTemplate.parse(
                folder.toString(), config.get("chat_template").textValue(), specialTokens);
        SoftAssertions soft = new SoftAssertions();
        for (JsonNode row : GoldenFolder.json(folder.resolve("cases.json")).get("cases")) {
            check(soft, template, row);
        }
        soft.assertAll();
    }

    private static void check(SoftAssertions soft, ChatTemplate template, JsonNode row) {
        List<Map<String, Object>> messages = list(row.get("messages"));
        List<Map<String, Object>> tools = row.hasNonNull("tools") ? list(row.get("tools")) : null;
        boolean prompt = row.path("add_generation_prompt").asBoolean();
        if (row.has("rendered")) {
            String[] rendered = new String[1];
            Throwable failure = catchThrowable(() -> rendered[0] = template.render(messages, prompt, tools, Map.of()));
            soft.assertThat(failure).as(row.toString()).isNull();
            soft.assertThat(rendered[0])
                    .as(row.toString())
                    .isEqualTo(row.get("rendered").textValue());
            return;
        }
        Throwable failure = catchThrowable(() -> template.render(messages, prompt, tools, Map.of()));
        soft.assertThat(failure).as(row.toString()).isInstanceOf(Rlhf4jException.class);
        if (failure != null && !row.get("error").textValue().equals("type error")) {
            soft.assertThat(failure)
                    .as(row.toString())
                    .hasMessageContaining(row.get("error").textValue());
        }
    }

    private static List<Map<String, Object>> list(JsonNode node) {
        return JSON.convertValue(node, new TypeReference<List<Map<String, Object>>>() {});
    }

    @Test
    void theFolderHasCases() {
        assertThat(folders()).isNotEmpty();
    }
}
