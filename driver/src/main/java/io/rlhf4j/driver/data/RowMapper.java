package io.rlhf4j.driver.data;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rlhf4j.config.ColumnsConfig;
import io.rlhf4j.driver.data.MappedRow.Conversation;
import io.rlhf4j.driver.data.MappedRow.Preferred;
import io.rlhf4j.driver.data.MappedRow.Prompt;
import io.rlhf4j.driver.data.MappedRow.Prompted;
import io.rlhf4j.driver.data.MappedRow.Unlabelled;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads rows by a mapping of columns: which kind of row it is follows from the columns that are mapped. */
final class RowMapper {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern PLACEHOLDER = Pattern.compile("\\{([^{}]+)}");

    private final ColumnsConfig config;
    private final ColumnNames names;

    RowMapper(ColumnsConfig config) {
        this.config = config;
        this.names = new ColumnNames(config);
    }

    /**
     * What a row means.
     *
     * @param group what the split goes by where a column says it: rows of one group stay together
     * @param rows one; several pairs for ranked responses
     */
    record Mapped(Optional<String> group, List<MappedRow> rows) {}

    Mapped map(RawRow raw) throws UnusableRowException {
        RowFields row = RowFields.parse(raw.json());
        String key = config.key().isPresent() ? row.text(config.key().get()) : raw.location();
        Optional<String> group =
                config.group().isPresent() ? Optional.of(row.text(config.group().get())) : Optional.empty();
        return new Mapped(group, rows(key, row));
    }

    private List<MappedRow> rows(String key, RowFields row) throws UnusableRowException {
        String reference =
                names.reference(row).isPresent() ? row.text(names.reference(row).get()) : "";
        if (names.messages(row).isPresent()) {
            return List.of(
                    new Conversation(key, messages(row.node(names.messages(row).get())), reference));
        }
        if (names.chosen(row).isPresent() || names.rejected(row).isPresent()) {
            return List.of(pair(key, row, reference));
        }
        if (names.responses(row).isPresent()) {
            return ranked(key, row, reference);
        }
        if (names.response(row).isPresent()) {
            return List.of(answered(key, row, reference));
        }
        if (names.prompt(row).isPresent() || config.promptTemplate().isPresent()) {
            return List.of(new Prompted(key, prompt(row), Optional.empty(), reference));
        }
        if (names.text(row).isPresent()) {
            return List.of(new Unlabelled(key, row.text(names.text(row).get())));
        }
        throw UnusableRowException.unusable("none of its columns is mapped (see the source's columns)");
    }

    private MappedRow pair(String key, RowFields row, String reference) throws UnusableRowException {
        String chosen = row.text(names.chosen(row).orElse("chosen"));
        String rejected = row.text(names.rejected(row).orElse("rejected"));
        double margin =
                names.margin(row).isPresent() ? row.number(names.margin(row).get()) : 0;
        if (config.dialogue()) {
            int begin = Dialogue.promptLength(chosen, rejected);
            Prompt prompt = Dialogue.prompt(chosen.substring(0, begin));
            return new Preferred(key, prompt, chosen.substring(begin), rejected.substring(begin), margin, reference);
        }
        return new Preferred(key, prompt(row), chosen, rejected, margin, reference);
    }

    private MappedRow answered(String key, RowFields row, String reference) throws UnusableRowException {
        if (names.label(row).isPresent() && !row.flag(names.label(row).get())) {
            throw UnusableRowException.dropped("its label says that the response is bad");
        }
        String response = row.text(names.response(row).orElseThrow());
        if (config.dialogue()) {
            int begin = Dialogue.promptLength(response);
            Prompt prompt = Dialogue.prompt(response.substring(0, begin));
            return new Prompted(key, prompt, Optional.of(response.substring(begin)), reference);
        }
        return new Prompted(key, prompt(row), Optional.of(response), reference);
    }

    /** All pairs of a ranking, as InstructGPT takes them (Ouyang et al. 2022, eq. 1). */
    private List<MappedRow> ranked(String key, RowFields row, String reference) throws UnusableRowException {
        String column = names.responses(row).orElseThrow();
        JsonNode responses = row.node(column);
        if (!responses.isArray() || responses.size() < 2) {
            throw UnusableRowException.unusable("column '%s' is no array of two or more".formatted(column));
        }
        Prompt prompt = prompt(row);
        List<MappedRow> pairs = new ArrayList<>();
        for (int better = 0; better < responses.size(); better++) {
            for (int worse = better + 1; worse < responses.size(); worse++) {
                String chosen = RowFields.text(responses.get(better), column);
                pairs.add(
                        new Preferred(key, prompt, chosen, RowFields.text(responses.get(worse), column), 0, reference));
            }
        }
        return pairs;
    }

    private Prompt prompt(RowFields row) throws UnusableRowException {
        if (config.promptTemplate().isPresent()) {
            StringBuilder text = new StringBuilder();
            Matcher placeholder = PLACEHOLDER.matcher(config.promptTemplate().get());
            while (placeholder.find()) {
                placeholder.appendReplacement(text, Matcher.quoteReplacement(row.text(placeholder.group(1))));
            }
            return Prompt.of(placeholder.appendTail(text).toString());
        }
        String text = row.text(names.prompt(row).orElse("prompt"));
        return config.dialogue() ? Dialogue.prompt(text) : Prompt.of(text);
    }

    private static List<Map<String, Object>> messages(JsonNode node) throws UnusableRowException {
        if (!node.isArray() || node.isEmpty()) {
            throw UnusableRowException.unusable("its messages are no array, or empty");
        }
        for (JsonNode message : node) {
            if (!message.path("role").isTextual() || !message.has("content")) {
                throw UnusableRowException.unusable("a message has no role or no content");
            }
        }
        return JSON.convertValue(node, new TypeReference<List<Map<String, Object>>>() {});
    }
}
