package io.rlhf4j.tokenizer.jinja;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.hubspot.jinjava.interpret.InterpretException;
import java.util.Collection;
import java.util.Iterator;
import java.util.Map;
import java.util.function.Consumer;

/** Python's json.dumps, as transformers gives it to templates: nothing is escaped for HTML. */
final class ToJson {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final StringBuilder text = new StringBuilder();
    private final String indent;
    private final boolean ascii;

    private ToJson(String indent, boolean ascii) {
        this.indent = indent;
        this.ascii = ascii;
    }

    /** The value as JSON: in one line, or with so many blanks a level; with or without characters beyond ASCII. */
    static String write(Object value, Object indent, boolean ascii) {
        ToJson json = new ToJson(
                indent == Absent.NONE
                        ? null
                        : indent instanceof String own ? own : " ".repeat((int) Operators.integer(indent)),
                ascii);
        json.write(value, 0);
        return json.text.toString();
    }

    private void write(Object value, int depth) {
        if (value instanceof Map<?, ?> map) {
            group("{", map.entrySet(), "}", depth, entry -> {
                string(key(entry.getKey()));
                text.append(": ");
                write(entry.getValue(), depth + 1);
            });
        } else if (value instanceof Collection<?> list && !(value instanceof View)) {
            group("[", list, "]", depth, element -> write(element, depth + 1));
        } else if (value instanceof String own) {
            string(own);
        } else if (value instanceof Boolean || value == Absent.NONE) {
            text.append(value == Absent.NONE ? "null" : value);
        } else if (value instanceof Number) {
            text.append(Python.text(value));
        } else {
            throw new InterpretException("Object of type %s is not JSON serializable".formatted(Python.kind(value)));
        }
    }

    private <T> void group(String begin, Collection<T> parts, String end, int depth, Consumer<T> write) {
        text.append(begin);
        for (Iterator<T> rest = parts.iterator(); rest.hasNext(); ) {
            line(depth + 1);
            write.accept(rest.next());
            text.append(rest.hasNext() ? indent == null ? ", " : "," : "");
        }
        if (!parts.isEmpty()) {
            line(depth);
        }
        text.append(end);
    }

    private void line(int depth) {
        if (indent != null) {
            text.append('\n').append(indent.repeat(depth));
        }
    }

    private static String key(Object key) {
        return key instanceof Boolean || key == Absent.NONE ? write(key, Absent.NONE, true) : Python.text(key);
    }

    private void string(String value) {
        try {
            String json = JSON.writeValueAsString(value);
            json.chars().forEach(c -> text.append(c < 0x7f || !ascii ? Character.toString(c) : "\\u%04x".formatted(c)));
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException("a string is always JSON", impossible);
        }
    }
}
