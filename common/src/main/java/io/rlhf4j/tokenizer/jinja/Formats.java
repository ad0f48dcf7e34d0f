package io.rlhf4j.tokenizer.jinja;

import com.hubspot.jinjava.interpret.InterpretException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Python's two ways to fill values into a text. */
final class Formats {
    private static final Pattern PERCENT = Pattern.compile("%([-0]?)(\\d*)(\\.\\d+)?(.)", Pattern.DOTALL);
    private static final Pattern BRACES = Pattern.compile("\\{\\{|}}|\\{([^{}]*)}|[{}]");

    private Formats() {}

    /** {@code format % values}, by the directives s, d, i, f and %%. */
    static String percent(String format, List<?> values) {
        int[] next = {0};
        String text = PERCENT.matcher(format).replaceAll(directive -> {
            String kind = directive.group(4);
            if (directive.group().equals("%%")) {
                return "%";
            }
            if (next[0] >= values.size()) {
                throw new InterpretException("not enough arguments for format string");
            }
            return Matcher.quoteReplacement(one(directive, kind, values.get(next[0]++)));
        });
        if (next[0] < values.size()) {
            throw new InterpretException("not all arguments converted during string formatting");
        }
        return text;
    }

    private static String one(MatchResult directive, String kind, Object value) {
        String flags = "%" + directive.group(1) + directive.group(2);
        String digits = directive.group(3) == null ? "" : directive.group(3);
        return switch (kind) {
            case "s" ->
                (flags.startsWith("%0") ? "%" + directive.group(2) : flags)
                        .concat(digits + "s")
                        .formatted(Python.text(value));
            case "d", "i" ->
                String.format(
                        Locale.ROOT,
                        flags + "d",
                        value instanceof Double number ? (Object) number.longValue() : Operators.integer(value));
            case "f" -> String.format(Locale.ROOT, flags + digits + "f", Operators.number(value));
            default ->
                throw new InterpretException(
                        "the directive '%s' of a format is not supported in chat templates".formatted(kind));
        };
    }

    /** {@code format.format(...)}, without specifications of width or kind. */
    static String braces(String format, List<Object> arguments, Map<String, Object> named) {
        int[] next = {0};
        return BRACES.matcher(format).replaceAll(found -> {
            String field = found.group(1);
            if (field == null) {
                if (found.group().length() == 1) {
                    throw new InterpretException("single '%s' in a format".formatted(found.group()));
                }
                return found.group().substring(1);
            }
            if (field.isEmpty() || field.chars().allMatch(Character::isDigit)) {
                int index = field.isEmpty() ? next[0]++ : Integer.parseInt(field);
                if (index >= arguments.size()) {
                    throw new InterpretException(
                            "a format names argument %d, there are %d".formatted(index, arguments.size()));
                }
                return Matcher.quoteReplacement(Python.text(arguments.get(index)));
            }
            if (!named.containsKey(field)) {
                throw new InterpretException("a template formats with '{%s}', which is not supported".formatted(field));
            }
            return Matcher.quoteReplacement(Python.text(named.get(field)));
        });
    }
}
