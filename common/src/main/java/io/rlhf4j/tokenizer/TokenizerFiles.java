package io.rlhf4j.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.format.PlainFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;

/**
 * The small files around tokenizer.json. Older models keep special tokens in special_tokens_map.json and chat templates in
 * tokenizer_config.json, newer ones templates in files of their own; all are read.
 *
 * @param tokenizerJson the tokenizer itself
 * @param specialTokens token texts by role ("bos_token", "eos_token", ...)
 * @param chatTemplates Jinja sources by name; "default" is the usual one
 */
record TokenizerFiles(byte[] tokenizerJson, Map<String, String> specialTokens, Map<String, String> chatTemplates) {
    static final String TOKENIZER = "tokenizer.json";
    static final String CONFIG = "tokenizer_config.json";
    static final String DEFAULT_TEMPLATE = "default";

    private static final int MOST_BYTES = 512 << 20;
    private static final ObjectMapper JSON = new ObjectMapper();

    static TokenizerFiles read(Path directory, Configuration configuration) throws IOException {
        Path tokenizer = new Path(directory, TOKENIZER);
        if (!PlainFiles.exists(tokenizer, configuration)) {
            throw Rlhf4jException.data(
                    "%s: there is no tokenizer.json; a model with a slow tokenizer only has to be saved once with its fast one"
                            .formatted(directory));
        }
        JsonNode config = json(directory, CONFIG, configuration);
        Map<String, String> specialTokens = new LinkedHashMap<>();
        addSpecialTokens(json(directory, "special_tokens_map.json", configuration), specialTokens);
        addSpecialTokens(config, specialTokens);
        Map<String, String> templates = new LinkedHashMap<>();
        addTemplates(directory, config.path("chat_template"), templates);
        addTemplateFiles(directory, configuration, templates);
        return new TokenizerFiles(PlainFiles.read(tokenizer, MOST_BYTES, configuration), specialTokens, templates);
    }

    private static JsonNode json(Path directory, String name, Configuration configuration) throws IOException {
        Path file = new Path(directory, name);
        if (!PlainFiles.exists(file, configuration)) {
            return JSON.createObjectNode();
        }
        byte[] bytes = PlainFiles.read(file, MOST_BYTES, configuration);
        try {
            JsonNode node = JSON.readTree(bytes);
            if (!node.isObject()) {
                throw Rlhf4jException.data(file + ": is no JSON object");
            }
            return node;
        } catch (IOException e) {
            throw Rlhf4jException.data("%s: is no valid JSON: %s".formatted(file, e.getMessage()), e);
        }
    }

    /** A token is written as text, or as an object with its text in "content". */
    private static void addSpecialTokens(JsonNode node, Map<String, String> specialTokens) {
        for (Map.Entry<String, JsonNode> field : node.properties()) {
            JsonNode value = field.getValue().isObject() ? field.getValue().path("content") : field.getValue();
            if (field.getKey().endsWith("_token") && value.isTextual()) {
                specialTokens.put(field.getKey(), value.textValue());
            }
        }
    }

    private static void addTemplates(Path directory, JsonNode node, Map<String, String> templates) {
        if (node.isTextual()) {
            templates.put(DEFAULT_TEMPLATE, node.textValue());
        }
        for (JsonNode named : node.isArray() ? node : JSON.createArrayNode()) {
            if (!named.path("name").isTextual() || !named.path("template").isTextual()) {
                throw Rlhf4jException.data(
                        "%s/%s: an entry of chat_template lacks its name or template".formatted(directory, CONFIG));
            }
            templates.put(named.path("name").textValue(), named.path("template").textValue());
        }
    }

    /** Files win over tokenizer_config.json, as in transformers. */
    private static void addTemplateFiles(Path directory, Configuration configuration, Map<String, String> templates)
            throws IOException {
        text(new Path(directory, "chat_template.jinja"), configuration)
                .ifPresent(source -> templates.put(DEFAULT_TEMPLATE, source));
        Path more = new Path(directory, "additional_chat_templates");
        if (PlainFiles.exists(more, configuration)) {
            for (FileStatus status : PlainFiles.fileSystem(more, configuration).listStatus(more)) {
                String name = status.getPath().getName();
                if (name.endsWith(".jinja")) {
                    text(status.getPath(), configuration)
                            .ifPresent(source -> templates.put(name.substring(0, name.length() - 6), source));
                }
            }
        }
    }

    private static Optional<String> text(Path file, Configuration configuration) throws IOException {
        if (!PlainFiles.exists(file, configuration)) {
            return Optional.empty();
        }
        return Optional.of(new String(PlainFiles.read(file, MOST_BYTES, configuration), StandardCharsets.UTF_8));
    }
}
