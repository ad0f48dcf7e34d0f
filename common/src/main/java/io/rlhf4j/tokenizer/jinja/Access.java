package io.rlhf4j.tokenizer.jinja;

import com.hubspot.jinjava.interpret.InterpretException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What stands behind a value: {@code .name}, {@code [key]} and {@code [from:to:step]}. */
final class Access {
    private static final Set<String> CHANGES = Set.of(
            "append",
            "extend",
            "insert",
            "pop",
            "remove",
            "clear",
            "update",
            "setdefault",
            "popitem",
            "sort",
            "reverse");

    private Access() {}

    /** {@code base.name}: an attribute or method, else the entry of that key. */
    static Object attribute(Object base, String name) {
        Object own = own(base, name);
        return own == Absent.UNDEFINED && base instanceof Map<?, ?> map && map.containsKey(name) ? map.get(name) : own;
    }

    /** {@code base[key]}: the entry of that key, else the attribute or method. */
    static Object item(Object base, Object key) {
        requireNoView(base);
        if (base instanceof Map<?, ?> map && map.containsKey(key)) {
            return map.get(key);
        }
        if (Operators.isInteger(key) && (base instanceof List || base instanceof String)) {
            List<Object> elements = Python.elements(base);
            long index = Operators.integer(key) + (Operators.integer(key) < 0 ? elements.size() : 0);
            return index >= 0 && index < elements.size() ? elements.get((int) index) : Absent.UNDEFINED;
        }
        return key instanceof String name || base == Absent.UNDEFINED ? own(base, Python.text(key)) : Absent.UNDEFINED;
    }

    private static Object own(Object base, String name) {
        if (base == Absent.UNDEFINED) {
            throw new InterpretException("an undefined value has no '%s'".formatted(name));
        }
        if (name.startsWith("__")) {
            throw new InterpretException("access to attribute '%s' is unsafe".formatted(name));
        }
        if (Operators.isNumber(base)) {
            throw new InterpretException(
                    "attribute '%s' of a number is not supported in chat templates".formatted(name));
        }
        if (base instanceof HasAttributes object) {
            return object.attribute(name);
        }
        Callable method = base instanceof String text
                ? StringMethods.of(text, name)
                : base instanceof Map<?, ?> map
                        ? mapping(map, name)
                        : base instanceof List<?> list ? sequence(list, name) : null;
        return method == null ? Absent.UNDEFINED : method;
    }

    private static Callable mapping(Map<?, ?> map, String name) {
        return switch (name) {
            case "items" -> (given, named) -> View.lasting(items(map));
            case "keys" -> (given, named) -> View.lasting(new ArrayList<>(map.keySet()));
            case "values" -> (given, named) -> View.lasting(new ArrayList<>(map.values()));
            case "copy" -> (given, named) -> map;
            case "get" ->
                (given, named) -> map.containsKey(given.get(0))
                        ? map.get(given.get(0))
                        : given.size() > 1 ? given.get(1) : Absent.NONE;
            default -> CHANGES.contains(name) ? refused(name) : null;
        };
    }

    /** A mapping's entries, each a pair. */
    static List<Object> items(Map<?, ?> map) {
        List<Object> pairs = new ArrayList<>();
        map.forEach((key, value) -> pairs.add(new Tuple(List.of(key, value))));
        return pairs;
    }

    private static Callable sequence(List<?> list, String name) {
        return switch (name) {
            case "count" ->
                (given, named) -> list.stream()
                        .filter(each -> Operators.equal(each, given.get(0)))
                        .count();
            case "index" ->
                (given, named) -> {
                    for (int i = 0; i < list.size(); i++) {
                        if (Operators.equal(list.get(i), given.get(0))) {
                            return (long) i;
                        }
                    }
                    throw new InterpretException(Python.text(given.get(0)) + " is not in list");
                };
            default -> CHANGES.contains(name) ? refused(name) : null;
        };
    }

    private static void requireNoView(Object base) {
        if (base instanceof View) {
            throw new InterpretException(
                    "an element of a range, filter or mapping's view is taken: that needs '|list' before");
        }
    }

    /** Templates of transformers may not change what they are given. */
    private static Callable refused(String name) {
        return (given, named) -> {
            throw new InterpretException(
                    "access to attribute '%s' is unsafe: a template may not change a value".formatted(name));
        };
    }

    /** {@code base[from:to:step]}; {@link Absent#NONE} stands for a part that is not given. */
    static Object slice(Object base, Object from, Object to, Object step) {
        requireNoView(base);
        List<Object> elements = Python.elements(base);
        long by = step == Absent.NONE ? 1 : Operators.integer(step);
        if (by == 0 || base instanceof Map) {
            throw new InterpretException("a template takes a slice that Python does not know");
        }
        int size = elements.size();
        long first = bound(from, by > 0 ? 0 : size - 1, size, by);
        long last = bound(to, by > 0 ? size : -1, size, by);
        List<Object> taken = new ArrayList<>();
        for (long i = first; by > 0 ? i < last : i > last; i += by) {
            taken.add(elements.get((int) i));
        }
        if (base instanceof String) {
            StringBuilder text = new StringBuilder();
            taken.forEach(text::append);
            return text.toString();
        }
        return base instanceof Tuple ? new Tuple(taken) : taken;
    }

    private static long bound(Object given, long otherwise, int size, long by) {
        if (given == Absent.NONE) {
            return otherwise;
        }
        long index = Operators.integer(given) + (Operators.integer(given) < 0 ? size : 0);
        return by > 0 ? Math.max(0, Math.min(size, index)) : Math.max(-1, Math.min(size - 1L, index));
    }
}
