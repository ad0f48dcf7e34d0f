package io.rlhf4j.config.binding;

import io.rlhf4j.config.Checked;
import io.rlhf4j.config.Checked.Finding;
import io.rlhf4j.config.Kind;
import io.rlhf4j.config.MemorySize;
import io.rlhf4j.config.yaml.Location;
import io.rlhf4j.config.yaml.Node;
import io.rlhf4j.config.yaml.Node.Absent;
import io.rlhf4j.config.yaml.Node.Entry;
import io.rlhf4j.config.yaml.Node.Mapping;
import io.rlhf4j.config.yaml.Node.Scalar;
import io.rlhf4j.config.yaml.Node.Sequence;
import io.rlhf4j.config.yaml.YamlReader;
import io.rlhf4j.error.Rlhf4jException;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Makes records of sections. Unknown keys, wrong types and values out of range are refused with their place. */
public final class Binder {
    private static final String KIND = "kind";

    private final Class<?> root;

    private Binder(Class<?> root) {
        this.root = root;
    }

    /**
     * The record that a section describes.
     *
     * @throws Rlhf4jException of kind CONFIGURATION for the first thing that is wrong
     */
    public static <T> T bind(Class<T> type, Mapping section) {
        return type.cast(new Binder(type).section(type, section, ""));
    }

    private Object section(Class<?> type, Mapping section, String path) {
        List<Key> keys = Key.of(type);
        refuseUnknownKeys(keys.stream().map(Key::name).toList(), section, path);
        Object[] values = new Object[keys.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = component(keys.get(i), section, path + keys.get(i).name());
        }
        Object bound = construct(type, values);
        if (bound instanceof Checked checked) {
            refuseFindings(checked.findings(), section, path);
        }
        return bound;
    }

    private Object component(Key key, Mapping section, String path) {
        Entry entry = section.entries().get(key.name());
        Node given = entry == null ? new Absent(section.location()) : entry.value();
        Optional<Node> preset = key.preset().map(text -> YamlReader.readValue(text, "the preset of " + path));
        Class<?> type = key.rawType();
        if (type.isRecord()) {
            Mapping below = preset.map(Mapping.class::cast).orElseGet(() -> Mapping.empty(given.location()));
            return section(type, given instanceof Absent ? below : below.under(mapping(given, path)), path + ".");
        }
        if (given instanceof Absent && key.required()) {
            throw refuse(section.location(), path, "is missing: " + key.doc().value());
        }
        Node node = given instanceof Absent ? preset.orElse(given) : given;
        Optional<Interval> range = key.doc().range().isEmpty()
                ? Optional.empty()
                : Optional.of(Interval.parse(key.doc().range()));
        return value(key.type(), node, path, range);
    }

    private Object value(Type type, Node node, String path, Optional<Interval> range) {
        Class<?> raw = Key.raw(type);
        if (raw == Optional.class) {
            return node instanceof Absent ? Optional.empty() : Optional.of(value(Key.content(type), node, path, range));
        }
        if (raw == List.class) {
            return list(Key.content(type), node, path, range);
        }
        if (raw == Map.class) {
            Map<String, String> settings = new LinkedHashMap<>();
            flatten(node, path, "", settings);
            return Collections.unmodifiableMap(settings);
        }
        if (raw.isRecord()) {
            return section(raw, mapping(node, path), path + ".");
        }
        return raw.isSealed() ? choice(raw, mapping(node, path), path) : scalar(raw, node, path, range);
    }

    private List<Object> list(Type content, Node node, String path, Optional<Interval> range) {
        if (node instanceof Absent) {
            return List.of();
        }
        if (!(node instanceof Sequence sequence)) {
            throw refuse(node.location(), path, "has to be a list, [a, b] or one `- item` a line");
        }
        List<Object> items = new ArrayList<>();
        for (Node item : sequence.items()) {
            items.add(value(content, item, path + "." + items.size(), range));
        }
        return List.copyOf(items);
    }

    /** Spark's and others' own settings: sections in sections are names with dots. */
    private void flatten(Node node, String path, String prefix, Map<String, String> settings) {
        if (node instanceof Scalar scalar && !prefix.isEmpty()) {
            settings.put(prefix, scalar.text());
        } else if (node instanceof Mapping || node instanceof Absent && prefix.isEmpty()) {
            for (Entry entry : mapping(node, path).entries().values()) {
                String name = prefix.isEmpty() ? entry.written() : prefix + "." + entry.written();
                flatten(entry.value(), path + "." + entry.written(), name, settings);
            }
        } else {
            throw refuse(node.location(), path, "has to be a text");
        }
    }

    private Object choice(Class<?> sealed, Mapping section, String path) {
        Map<String, Class<?>> kinds = new LinkedHashMap<>();
        for (Class<?> permitted : sealed.getPermittedSubclasses()) {
            kinds.put(permitted.getAnnotation(Kind.class).value(), permitted);
        }
        String known = String.join(" | ", kinds.keySet());
        Entry kind = section.entries().get(KIND);
        if (kind == null || !(kind.value() instanceof Scalar name)) {
            throw refuse(section.location(), path + "." + KIND, "is missing: one of " + known);
        }
        if (!kinds.containsKey(name.text())) {
            throw refuse(name.location(), path + "." + KIND, "is '%s', allowed is %s".formatted(name.text(), known));
        }
        Map<String, Entry> rest = new LinkedHashMap<>(section.entries());
        rest.remove(KIND);
        return section(kinds.get(name.text()), new Mapping(section.location(), rest), path + ".");
    }

    private static Object scalar(Class<?> type, Node node, String path, Optional<Interval> range) {
        if (!(node instanceof Scalar scalar)) {
            throw refuse(node.location(), path, "has to be one value: " + Scalars.describe(type));
        }
        Object value = Scalars.parse(type, scalar.text()).orElseThrow(() -> notOfType(type, scalar, path));
        if (range.isPresent() && !range.get().contains(((Number) value).doubleValue())) {
            throw refuse(
                    scalar.location(),
                    path,
                    "is %s, allowed is %s".formatted(scalar.text(), range.get().text()));
        }
        return value;
    }

    private static Rlhf4jException notOfType(Class<?> type, Scalar scalar, String path) {
        String expected = Scalars.describe(type);
        if (type.isEnum()) {
            String hint = Suggestions.nearest(scalar.text(), List.of(expected.split(" \\| ")))
                    .map("; did you mean '%s'?"::formatted)
                    .orElse("");
            return refuse(scalar.location(), path, "is '%s', allowed is %s%s".formatted(scalar.text(), expected, hint));
        }
        String form = type == Duration.class
                ? " with a unit: 500ms, 30s, 5m, 2h, 1d"
                : type == MemorySize.class ? ": 512m, 12g" : "";
        return refuse(scalar.location(), path, "is '%s', expected a %s%s".formatted(scalar.text(), expected, form));
    }

    private static Mapping mapping(Node node, String path) {
        if (node instanceof Mapping mapping) {
            return mapping;
        }
        if (node instanceof Absent) {
            return Mapping.empty(node.location());
        }
        throw refuse(node.location(), path, "is a section: its keys follow below it, indented");
    }

    private void refuseUnknownKeys(List<String> known, Mapping section, String path) {
        for (Entry entry : section.entries().values()) {
            if (!known.contains(entry.key())) {
                throw Rlhf4jException.configuration("%s: there is no key '%s%s'; %s"
                        .formatted(entry.location(), path, entry.key(), advice(known, entry.key())));
            }
        }
    }

    private String advice(List<String> known, String written) {
        Optional<String> nearest = Suggestions.nearest(written, known);
        if (nearest.isPresent()) {
            return "did you mean '%s'?".formatted(nearest.get());
        }
        Set<String> elsewhere = Suggestions.elsewhere(root, written);
        return elsewhere.isEmpty()
                ? "known here are " + String.join(", ", known)
                : "did you mean %s?".formatted(elsewhere.stream().collect(Collectors.joining("' or '", "'", "'")));
    }

    private static void refuseFindings(List<Finding> findings, Mapping section, String path) {
        for (Finding finding : findings) {
            Entry entry = section.entries().get(finding.key());
            Location location =
                    entry == null ? section.location() : entry.value().location();
            throw refuse(location, path + finding.key(), finding.message());
        }
    }

    private static Rlhf4jException refuse(Location location, String path, String message) {
        return Rlhf4jException.configuration("%s: %s %s".formatted(location, path, message));
    }

    private static Object construct(Class<?> type, Object... values) {
        Class<?>[] types = Arrays.stream(type.getRecordComponents())
                .map(RecordComponent::getType)
                .toArray(Class<?>[]::new);
        try {
            Constructor<?> constructor = type.getDeclaredConstructor(types);
            return constructor.newInstance(values);
        } catch (InvocationTargetException e) {
            throw new IllegalStateException(type.getSimpleName() + " cannot be made", e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(type.getSimpleName() + " has to be public", e);
        }
    }
}
