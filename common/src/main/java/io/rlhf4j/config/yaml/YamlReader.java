package io.rlhf4j.config.yaml;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import io.rlhf4j.config.yaml.Node.Absent;
import io.rlhf4j.config.yaml.Node.Entry;
import io.rlhf4j.config.yaml.Node.Mapping;
import io.rlhf4j.config.yaml.Node.Scalar;
import io.rlhf4j.config.yaml.Node.Sequence;
import io.rlhf4j.error.Rlhf4jException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads YAML into {@link Node}s. Anchors and aliases are refused: they hide where a value comes from. */
public final class YamlReader {
    private static final YAMLFactory YAML = new YAMLFactory();

    private final YAMLParser parser;
    private final String source;
    private final boolean lines;

    private YamlReader(YAMLParser parser, String source, boolean lines) {
        this.parser = parser;
        this.source = source;
        this.lines = lines;
    }

    /**
     * Reads a section; an empty text is an empty section.
     *
     * @param text YAML
     * @param source the name of the text in messages
     * @throws Rlhf4jException of kind CONFIGURATION for text that is no YAML, or no section
     */
    public static Mapping readSection(String text, String source) {
        Node node = read(text, source, true);
        if (node instanceof Mapping mapping) {
            return mapping;
        }
        if (node instanceof Absent) {
            return Mapping.empty(Location.of(source));
        }
        throw Rlhf4jException.configuration(
                "%s: expected keys with values (`key: value`) and found something else".formatted(node.location()));
    }

    /** Reads any value of an option or preset, which is one short line: messages name the source alone. */
    public static Node readValue(String text, String source) {
        return read(text, source, false);
    }

    private static Node read(String text, String source, boolean lines) {
        try (YAMLParser parser = YAML.createParser(text)) {
            YamlReader reader = new YamlReader(parser, source, lines);
            Node node = parser.nextToken() == null ? new Absent(Location.of(source)) : reader.node();
            if (parser.nextToken() != null) {
                throw reader.refuse("there is more than one YAML document; keep the first");
            }
            return node;
        } catch (JsonProcessingException e) {
            JsonLocation at = e.getLocation();
            Location location =
                    at == null ? Location.of(source) : new Location(source, at.getLineNr(), at.getColumnNr());
            throw Rlhf4jException.configuration("%s: this is not YAML: %s"
                    .formatted(location, e.getOriginalMessage().replaceAll("\\s*\n\\s*", "; ")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Node node() throws IOException {
        Location location = location();
        if (parser.isCurrentAlias() || parser.getObjectId() != null) {
            throw refuse("anchors and aliases are not read; write the value itself");
        }
        JsonToken token = parser.currentToken();
        return switch (token) {
            case START_OBJECT -> mapping(location);
            case START_ARRAY -> sequence(location);
            case VALUE_NULL -> new Absent(location);
            default -> new Scalar(location, parser.getText());
        };
    }

    private Mapping mapping(Location location) throws IOException {
        Map<String, Entry> entries = new LinkedHashMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            Location keyLocation = location();
            String written = parser.currentName();
            String key = written.replace('-', '_');
            parser.nextToken();
            if (entries.put(key, new Entry(key, written, keyLocation, node())) != null) {
                throw Rlhf4jException.configuration(
                        "%s: the key '%s' is given twice; keep one of them".formatted(keyLocation, written));
            }
        }
        return new Mapping(location, entries);
    }

    private Sequence sequence(Location location) throws IOException {
        List<Node> items = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            items.add(node());
        }
        return new Sequence(location, items);
    }

    private Location location() {
        JsonLocation at = parser.currentTokenLocation();
        return lines ? new Location(source, at.getLineNr(), at.getColumnNr()) : Location.of(source);
    }

    private Rlhf4jException refuse(String message) {
        return Rlhf4jException.configuration(location() + ": " + message);
    }
}
