package io.rlhf4j.model.family;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.tensor.Activation;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.StreamSupport;

/**
 * A config.json. Keys have changed their names over the years: every question lists the names in use, and the first that
 * is there, and not null, answers.
 */
public final class HubConfig {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final String origin;
    private final ObjectNode json;

    private HubConfig(String origin, ObjectNode json) {
        this.origin = origin;
        this.json = json;
    }

    /**
     * Reads the text of a config.json.
     *
     * @param origin what messages call it: its path
     */
    public static HubConfig parse(String origin, String text) {
        try {
            if (MAPPER.readTree(text) instanceof ObjectNode object) {
                HubConfig config = new HubConfig(origin, object);
                PlausibleSizes.require(config);
                return config;
            }
            throw Rlhf4jException.configuration(origin + ": is not a JSON object; is it a model's config.json?");
        } catch (JsonProcessingException e) {
            throw new Rlhf4jException(
                    ErrorKind.CONFIGURATION,
                    "%s: is not JSON (%s); was it copied whole?".formatted(origin, e.getOriginalMessage()),
                    e);
        }
    }

    /** A copy of the JSON object. */
    public ObjectNode json() {
        return json.deepCopy();
    }

    /** The value at the first of {@code keys} that is there and not null. */
    public Optional<JsonNode> value(String... keys) {
        return Arrays.stream(keys).map(json::path).filter(HubConfig::present).findFirst();
    }

    static boolean present(JsonNode node) {
        return !node.isMissingNode() && !node.isNull();
    }

    /** Whether {@code key} is there, though its value be null. */
    public boolean has(String key) {
        return json.has(key);
    }

    /** A whole number, or {@code missing} where no key is there. */
    public int integer(int missing, String... keys) {
        return value(keys)
                .map(node -> require(
                                node.canConvertToInt() && node.doubleValue() == node.intValue(),
                                node,
                                "a whole number",
                                keys)
                        .intValue())
                .orElse(missing);
    }

    /** A number, or {@code missing} where no key is there. */
    public double number(double missing, String... keys) {
        return value(keys)
                .map(node -> require(node.isNumber(), node, "a number", keys).doubleValue())
                .orElse(missing);
    }

    /** True or false, or {@code missing} where no key is there. */
    public boolean flag(boolean missing, String... keys) {
        return value(keys)
                .map(node ->
                        require(node.isBoolean(), node, "true or false", keys).booleanValue())
                .orElse(missing);
    }

    /** A text, or {@code missing} where no key is there. */
    public String text(String missing, String... keys) {
        return value(keys)
                .map(node -> require(node.isTextual(), node, "a text", keys).textValue())
                .orElse(missing);
    }

    /** A list of texts; empty where the key is not there. */
    public List<String> texts(String key) {
        return value(key)
                .map(node -> StreamSupport.stream(node.spliterator(), false)
                        .map(JsonNode::asText)
                        .toList())
                .orElse(List.of());
    }

    /** The kind of each layer's attention; empty where {@code layer_types} is not there. */
    public List<String> layerTypes(int layers) {
        List<String> kinds = texts("layer_types");
        if (!kinds.isEmpty() && kinds.size() != layers) {
            throw refusal("layer_types tells of %d layers, but there are %d".formatted(kinds.size(), layers));
        }
        return kinds;
    }

    /** The object at {@code key}; a missing node where there is none. */
    public JsonNode object(String key) {
        return value(key).orElse(MissingNode.getInstance());
    }

    /** The activation that a key names. */
    public Activation activation(String missing, String... keys) {
        String name = text(missing, keys);
        return switch (name) {
            case "relu" -> Activation.RELU;
            case "gelu" -> Activation.GELU;
            case "gelu_new", "gelu_fast", "gelu_pytorch_tanh" -> Activation.GELU_TANH;
            case "silu", "swish" -> Activation.SILU;
            default ->
                throw refusal("%s '%s' is not known; known are relu, gelu, gelu_new, gelu_fast, gelu_pytorch_tanh, silu"
                        .formatted(keys[0], name));
        };
    }

    /** Refuses a setting that this project does not compute. */
    public void refuse(boolean set, String setting) {
        if (set) {
            throw refusal(setting + " is not supported; choose a model without it");
        }
    }

    /** An exception that says what is wrong with this file. */
    public Rlhf4jException refusal(String message) {
        return Rlhf4jException.configuration(origin + ": " + message);
    }

    private JsonNode require(boolean fits, JsonNode node, String wanted, String... keys) {
        if (!fits) {
            throw refusal("%s is %s, not %s".formatted(keys[0], node, wanted));
        }
        return node;
    }
}
