package io.rlhf4j.driver.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.Optional;

/** The columns of a row, by name; a dot leads into a nested one. */
final class RowFields {
    private static final ObjectMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private final JsonNode row;

    private RowFields(JsonNode row) {
        this.row = row;
    }

    static RowFields parse(String json) throws UnusableRowException {
        try {
            JsonNode row = JSON.readTree(json);
            if (!row.isObject()) {
                throw UnusableRowException.unusable("not a JSON object");
            }
            return new RowFields(row);
        } catch (JsonProcessingException corrupt) {
            throw UnusableRowException.unusable("not JSON: " + corrupt.getOriginalMessage());
        }
    }

    /** The column, unless it is absent or null. */
    Optional<JsonNode> find(String name) {
        JsonNode node = row.get(name);
        if (node == null) {
            node = row;
            for (String part : name.split("\\.", -1)) {
                node = node == null ? null : node.get(part);
            }
        }
        return Optional.ofNullable(node).filter(found -> !found.isNull());
    }

    boolean has(String name) {
        return find(name).isPresent();
    }

    JsonNode node(String name) throws UnusableRowException {
        return find(name)
                .orElseThrow(() -> UnusableRowException.unusable("column '%s' is missing; the row has %s"
                        .formatted(name, String.join(", ", (Iterable<String>) row::fieldNames))));
    }

    /** A text, number or boolean as text. */
    String text(String name) throws UnusableRowException {
        return text(node(name), name);
    }

    static String text(JsonNode node, String name) throws UnusableRowException {
        if (!node.isValueNode()) {
            throw UnusableRowException.unusable("column '%s' is no text".formatted(name));
        }
        return node.asText();
    }

    double number(String name) throws UnusableRowException {
        JsonNode node = node(name);
        try {
            return node.isNumber() ? node.asDouble() : Double.parseDouble(text(node, name));
        } catch (NumberFormatException noNumber) {
            throw UnusableRowException.unusable("column '%s' is no number".formatted(name));
        }
    }

    boolean flag(String name) throws UnusableRowException {
        JsonNode node = node(name);
        if (node.isBoolean()) {
            return node.asBoolean();
        }
        return number(name) > 0;
    }
}
