package io.rlhf4j.tokenizer.jinja;

import com.hubspot.jinjava.interpret.InterpretException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** What stands in a call's parentheses. */
record Arguments(List<Supplier<Object>> listed, Map<String, Supplier<Object>> named) {
    static final Arguments NONE = new Arguments(List.of(), Map.of());

    static List<Object> values(List<Supplier<Object>> parts) {
        List<Object> values = new ArrayList<>();
        parts.forEach(part -> values.add(part.get()));
        return values;
    }

    List<Object> values() {
        return values(listed);
    }

    Map<String, Object> namedValues() {
        Map<String, Object> values = new LinkedHashMap<>();
        named.forEach((name, value) -> values.put(name, value.get()));
        return values;
    }

    /** The result of the function for these arguments. */
    Object call(Object function) {
        if (function instanceof Callable callable) {
            return callable.call(values(), namedValues());
        }
        throw new InterpretException(
                "a template calls what is no function: '%s' object".formatted(Python.kind(function)));
    }
}
