package io.rlhf4j.tokenizer.jinja;

import java.util.HashMap;
import java.util.Map;

/** What {@code namespace(...)} gives: names that a block can change from within. */
record Namespace(Map<String, Object> values) implements HasAttributes {
    Namespace {
        values = new HashMap<>(values);
    }

    @Override
    public Object attribute(String name) {
        return values.getOrDefault(name, Absent.UNDEFINED);
    }
}
