package io.rlhf4j.tokenizer.jinja;

import com.hubspot.jinjava.interpret.InterpretException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Jinja's filters. */
final class Filters {
    private Filters() {}

    /** {@code value | name(given, named)}. */
    static Object apply(String name, Object value, List<Object> given, Map<String, Object> named) {
        Parameters parameters = new Parameters("the filter '%s'".formatted(name), given, named);
        if (value instanceof Markup markup) {
            return marked(name, markup, given, named);
        }
        Object result =
                switch (name) {
                    case "tojson" -> json(value, parameters);
                    case "length", "count" -> Python.length(value);
                    case "string" -> Python.text(value);
                    case "safe" -> new Markup(Python.text(value));
                    case "default", "d" -> otherwise(value, parameters);
                    case "trim" ->
                        StringMethods.strip(Python.text(value), parameters.get(0, "chars", Absent.NONE), true, true);
                    case "upper" -> Python.text(value).toUpperCase(Locale.ROOT);
                    case "lower" -> Python.text(value).toLowerCase(Locale.ROOT);
                    case "capitalize" -> StringMethods.capitalized(Python.text(value));
                    case "title" -> title(Python.text(value));
                    case "replace" ->
                        Python.text(value)
                                .replace(Python.text(parameters.get(0, "old")), Python.text(parameters.get(1, "new")));
                    case "indent" -> indented(Python.text(value), parameters);
                    case "join" -> joined(value, parameters);
                    case "items" ->
                        View.once(value == Absent.UNDEFINED ? List.of() : Access.items(mapping(name, value)));
                    case "dictsort" -> sorted(Access.items(mapping(name, value)), "0", false, false);
                    case "list" -> Python.elements(value);
                    case "first" -> end(Python.elements(value), true);
                    case "last" -> end(Python.elements(value), false);
                    case "reverse" -> reversed(value);
                    case "sort" ->
                        sorted(
                                Python.elements(value),
                                parameters.get(2, "attribute", Absent.NONE),
                                Python.truth(parameters.get(0, "reverse", false)),
                                Python.truth(parameters.get(1, "case_sensitive", false)));
                    case "unique" -> unique(Python.elements(value));
                    case "sum" -> sum(value, parameters);
                    case "min", "max" -> extreme(Python.elements(value), name.equals("max"));
                    case "int" -> integer(value, parameters.get(0, "default", 0L));
                    case "float" -> number(value, parameters.get(0, "default", 0.0));
                    case "abs" -> Operators.number(value) < 0 ? Operators.negative(value) : value;
                    case "map" -> mapped(value, parameters);
                    case "select" -> kept(value, parameters, false, true);
                    case "reject" -> kept(value, parameters, false, false);
                    case "selectattr" -> kept(value, parameters, true, true);
                    case "rejectattr" -> kept(value, parameters, true, false);
                    default ->
                        throw new InterpretException(
                                "the filter '%s' is not supported in chat templates".formatted(name));
                };
        parameters.requireAllUsed();
        return result;
    }

    private static Object marked(String name, Markup markup, List<Object> given, Map<String, Object> named) {
        if (!Set.of("safe", "string", "trim").contains(name)) {
            throw new InterpretException(
                    "the filter '%s' behind 'safe' is not supported in chat templates".formatted(name));
        }
        return new Markup(Python.text(apply(name, markup.text(), given, named)));
    }

    private static Object otherwise(Object value, Parameters parameters) {
        Object other = parameters.get(0, "default_value", "");
        boolean alsoForFalse = Python.truth(parameters.get(1, "boolean", false));
        return value == Absent.UNDEFINED || alsoForFalse && !Python.truth(value) ? other : value;
    }

    /** As transformers gives it. */
    private static Object json(Object value, Parameters parameters) {
        boolean ascii = Python.truth(parameters.get(0, "ensure_ascii", false));
        return ToJson.write(value, parameters.get(1, "indent", Absent.NONE), ascii);
    }

    private static Map<?, ?> mapping(String name, Object value) {
        if (value instanceof Map<?, ?> map) {
            return map;
        }
        throw new InterpretException("the filter '%s' takes a mapping, not '%s'".formatted(name, Python.kind(value)));
    }

    private static String title(String text) {
        return Pattern.compile("[^\\-\\s({\\[<]+")
                .matcher(text)
                .replaceAll(word -> Matcher.quoteReplacement(StringMethods.capitalized(word.group())));
    }

    private static String indented(String text, Parameters parameters) {
        Object width = parameters.get(0, "width", 4L);
        boolean first = Python.truth(parameters.get(1, "first", false));
        boolean blank = Python.truth(parameters.get(2, "blank", false));
        String indent = width instanceof String own ? own : " ".repeat((int) Operators.integer(width));
        String[] lines = text.split("\n", -1);
        StringBuilder written = new StringBuilder();
        for (int i = 0; i < lines.length; i++) {
            boolean indents = i == 0 ? first : blank || !lines[i].isEmpty();
            written.append(i == 0 ? "" : "\n").append(indents ? indent : "").append(lines[i]);
        }
        return written.toString();
    }

    private static String joined(Object value, Parameters parameters) {
        String between = Python.text(parameters.get(0, "d", ""));
        Object attribute = parameters.get(1, "attribute", Absent.NONE);
        List<String> texts = new ArrayList<>();
        Python.elements(value).forEach(each -> texts.add(Python.text(attribute(each, attribute))));
        return String.join(between, texts);
    }

    /** An element's attribute, by a path with dots; the element itself where none is asked for. */
    private static Object attribute(Object element, Object path) {
        Object value = element;
        if (path != Absent.NONE) {
            for (String name : Python.text(path).split("\\.")) {
                boolean number = !name.isEmpty() && name.chars().allMatch(Character::isDigit);
                value = Access.item(value, number ? (Object) Long.valueOf(name) : name);
            }
        }
        return value;
    }

    private static Object end(List<Object> elements, boolean first) {
        return elements.isEmpty() ? Absent.UNDEFINED : elements.get(first ? 0 : elements.size() - 1);
    }

    private static Object reversed(Object value) {
        if (value instanceof String text) {
            return new StringBuilder(text).reverse().toString();
        }
        List<Object> elements = new ArrayList<>(Python.elements(value));
        Collections.reverse(elements);
        return View.once(elements);
    }

    private static Object sorted(List<Object> elements, Object attribute, boolean descending, boolean caseSensitive) {
        List<Object> sorted = new ArrayList<>(elements);
        Comparator<Object> order = (left, right) -> Operators.compare(
                key(attribute(left, attribute), caseSensitive), key(attribute(right, attribute), caseSensitive), "<");
        sorted.sort(descending ? order.reversed() : order);
        return sorted;
    }

    private static Object key(Object value, boolean caseSensitive) {
        return value instanceof String text && !caseSensitive ? text.toLowerCase(Locale.ROOT) : value;
    }

    private static Object unique(List<Object> elements) {
        List<Object> seen = new ArrayList<>();
        List<Object> kept = new ArrayList<>();
        for (Object element : elements) {
            if (!Operators.contains(seen, key(element, false))) {
                seen.add(key(element, false));
                kept.add(element);
            }
        }
        return kept;
    }

    private static Object sum(Object value, Parameters parameters) {
        Object attribute = parameters.get(0, "attribute", Absent.NONE);
        Object total = parameters.get(1, "start", 0L);
        for (Object element : Python.elements(value)) {
            total = Operators.binary("+", total, attribute(element, attribute));
        }
        return total;
    }

    private static Object extreme(List<Object> elements, boolean largest) {
        Object best = Absent.UNDEFINED;
        for (Object element : elements) {
            if (best == Absent.UNDEFINED
                    || Operators.compare(key(element, false), key(best, false), "<") * (largest ? 1 : -1) > 0) {
                best = element;
            }
        }
        return best;
    }

    private static Object integer(Object value, Object otherwise) {
        try {
            return value instanceof String text
                    ? (Object) Long.valueOf(text.strip())
                    : (Object) (long) Operators.number(value);
        } catch (NumberFormatException | InterpretException noInteger) {
            Object number = number(value, Absent.NONE);
            return number == Absent.NONE ? otherwise : (Object) ((Double) number).longValue();
        }
    }

    private static Object number(Object value, Object otherwise) {
        try {
            return value instanceof String text ? Double.valueOf(text.strip()) : (Object) Operators.number(value);
        } catch (NumberFormatException | InterpretException noNumber) {
            return otherwise;
        }
    }

    private static Object mapped(Object value, Parameters parameters) {
        Object attribute = parameters.get(-1, "attribute", Absent.NONE);
        Object otherwise = parameters.get(-1, "default", Absent.UNDEFINED);
        List<Object> results = new ArrayList<>();
        List<Object> given = parameters.rest(attribute == Absent.NONE ? 0 : -1);
        for (Object element : elementsIfAny(value)) {
            if (attribute == Absent.NONE) {
                results.add(apply(Python.text(given.get(0)), element, given.subList(1, given.size()), Map.of()));
            } else {
                Object found = attribute(element, attribute);
                results.add(found == Absent.UNDEFINED ? otherwise : found);
            }
        }
        return View.once(results);
    }

    private static List<Object> elementsIfAny(Object value) {
        return Python.truth(value) ? Python.elements(value) : List.of();
    }

    /** The elements of which a test holds, or does not; without a test those that count as true. */
    private static Object kept(Object value, Parameters parameters, boolean byAttribute, boolean holding) {
        List<Object> given = parameters.rest(0);
        Object attribute = byAttribute ? given.get(0) : Absent.NONE;
        List<Object> test = given.subList(byAttribute ? 1 : 0, given.size());
        Predicate<Object> holds = test.isEmpty()
                ? Python::truth
                : element -> Tests.holds(Python.text(test.get(0)), element, test.subList(1, test.size()));
        List<Object> kept = new ArrayList<>();
        for (Object element : elementsIfAny(value)) {
            if (holds.test(attribute(element, attribute)) == holding) {
                kept.add(element);
            }
        }
        return View.once(kept);
    }
}
