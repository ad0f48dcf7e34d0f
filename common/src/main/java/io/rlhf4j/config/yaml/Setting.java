package io.rlhf4j.config.yaml;

import io.rlhf4j.config.yaml.Node.Absent;
import io.rlhf4j.config.yaml.Node.Entry;
import io.rlhf4j.config.yaml.Node.Mapping;
import io.rlhf4j.config.yaml.Node.Scalar;
import io.rlhf4j.config.yaml.Node.Sequence;
import io.rlhf4j.error.Rlhf4jException;
import java.util.List;

/**
 * A value given on the command line: {@code ppo.kl.beta=0.1}, {@code steps=[sft, ppo]}, {@code
 * data.sources.0.path=rows.jsonl}. A number addresses an item of a list; one behind the last appends.
 *
 * @param path keys from the top
 * @param value the value
 * @param location names the option in messages
 */
public record Setting(List<String> path, Node value, Location location) {
    public Setting {
        path = List.copyOf(path);
    }

    /** Parses {@code key=value}, the value being YAML. */
    public static Setting parse(String text) {
        Location location = Location.of("--set " + text.replaceAll("=.*", ""));
        int equals = text.indexOf('=');
        if (equals <= 0) {
            throw Rlhf4jException.configuration(
                    "--set %s: expected key=value, for instance --set ppo.kl.beta=0.1".formatted(text));
        }
        List<String> path = List.of(text.substring(0, equals).strip().split("\\."));
        return new Setting(path, YamlReader.readValue(text.substring(equals + 1), location.source()), location);
    }

    /** The section with this value in it. */
    public Mapping applyTo(Mapping root) {
        return (Mapping) apply(root, 0);
    }

    private Node apply(Node node, int depth) {
        if (depth == path.size()) {
            return value;
        }
        String step = path.get(depth);
        if (node instanceof Mapping mapping) {
            String key = step.replace('-', '_');
            Entry below = mapping.entries().get(key);
            Node child = below == null ? new Absent(location) : below.value();
            return mapping.with(new Entry(key, step, location, apply(child, depth + 1)));
        }
        if (node instanceof Absent) {
            Node container = step.matches("\\d+") ? new Sequence(location, List.of()) : Mapping.empty(location);
            return apply(container, depth);
        }
        if (node instanceof Sequence sequence) {
            return applyToItem(sequence, step, depth);
        }
        Scalar scalar = (Scalar) node;
        throw Rlhf4jException.configuration("%s: %s is the value '%s' (%s), it has no part '%s'"
                .formatted(location, String.join(".", path.subList(0, depth)), scalar.text(), scalar.location(), step));
    }

    private Node applyToItem(Sequence sequence, String step, int depth) {
        int size = sequence.items().size();
        int index = step.matches("\\d{1,6}") ? Integer.parseInt(step) : Integer.MAX_VALUE;
        if (index > size) {
            throw Rlhf4jException.configuration("%s: %s is a list of %d; name an item by 0 to %d, %d appends"
                    .formatted(location, String.join(".", path.subList(0, depth)), size, size, size));
        }
        Node item = index == size ? new Absent(location) : sequence.items().get(index);
        return sequence.with(index, apply(item, depth + 1));
    }
}
