package io.rlhf4j.config.yaml;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A piece of YAML, and where it was written. */
public sealed interface Node {
    /** Where the piece begins. */
    Location location();

    /** Nothing: a key without a value, {@code null} or {@code ~}. */
    record Absent(Location location) implements Node {}

    /**
     * A value without parts.
     *
     * @param location where it was written
     * @param text its text, without quotes
     */
    record Scalar(Location location, String text) implements Node {}

    /** A list. */
    record Sequence(Location location, List<Node> items) implements Node {
        public Sequence {
            items = List.copyOf(items);
        }

        /** This list with {@code item} at {@code index}, which may be one behind the last. */
        Sequence with(int index, Node item) {
            List<Node> changed = new ArrayList<>(items);
            if (index == changed.size()) {
                changed.add(item);
            } else {
                changed.set(index, item);
            }
            return new Sequence(location, changed);
        }
    }

    /**
     * A section.
     *
     * @param location where it begins
     * @param entries its keys in the order of the file
     */
    record Mapping(Location location, Map<String, Entry> entries) implements Node {
        public Mapping {
            entries = Collections.unmodifiableMap(new LinkedHashMap<>(entries));
        }

        /** A section without keys. */
        public static Mapping empty(Location location) {
            return new Mapping(location, Map.of());
        }

        /** This section with {@code entry} in the place of the one with its key. */
        Mapping with(Entry entry) {
            Map<String, Entry> changed = new LinkedHashMap<>(entries);
            changed.put(entry.key(), entry);
            return new Mapping(location, changed);
        }

        /** This section, with the values of {@code upper} above its own; sections in both are laid over each other. */
        public Mapping under(Mapping upper) {
            Map<String, Entry> merged = new LinkedHashMap<>(entries);
            for (Entry entry : upper.entries().values()) {
                Entry below = merged.get(entry.key());
                boolean sections = below != null
                        && below.value() instanceof Mapping
                        && (entry.value() instanceof Mapping || entry.value() instanceof Absent);
                merged.put(entry.key(), sections ? below.under(entry) : entry);
            }
            return new Mapping(upper.location(), merged);
        }
    }

    /**
     * A key of a section with its value.
     *
     * @param key the key with underscores for hyphens
     * @param written the key as it was written
     * @param location where the key was written
     * @param value its value
     */
    record Entry(String key, String written, Location location, Node value) {
        private Entry under(Entry upper) {
            Mapping below = (Mapping) value;
            return upper.value() instanceof Mapping above
                    ? new Entry(key, written, upper.location(), below.under(above))
                    : this;
        }
    }
}
