package io.rlhf4j.tokenizer.jinja;

import com.hubspot.jinjava.interpret.InterpretException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/** Methods of Python's strings. */
final class StringMethods {
    private StringMethods() {}

    /** The text's method of that name; null where there is none. */
    static Callable of(String text, String name) {
        return switch (name) {
            case "strip" -> (given, named) -> strip(text, optional(given, 0), true, true);
            case "lstrip" -> (given, named) -> strip(text, optional(given, 0), true, false);
            case "rstrip" -> (given, named) -> strip(text, optional(given, 0), false, true);
            case "startswith" -> (given, named) -> any(only(given), text::startsWith);
            case "endswith" -> (given, named) -> any(only(given), text::endsWith);
            case "removeprefix" ->
                (given, named) -> {
                    String prefix = string(only(given));
                    return text.startsWith(prefix) ? text.substring(prefix.length()) : text;
                };
            case "removesuffix" ->
                (given, named) -> {
                    String suffix = string(only(given));
                    return text.endsWith(suffix) ? text.substring(0, text.length() - suffix.length()) : text;
                };
            case "lower" -> (given, named) -> text.toLowerCase(Locale.ROOT);
            case "upper" -> (given, named) -> text.toUpperCase(Locale.ROOT);
            case "capitalize" -> (given, named) -> capitalized(text);
            case "title" ->
                (given, named) ->
                        Pattern.compile("\\p{L}+").matcher(text).replaceAll(word -> capitalized(word.group()));
            case "find" -> (given, named) -> place(text, text.indexOf(string(only(given))));
            case "rfind" -> (given, named) -> place(text, text.lastIndexOf(string(only(given))));
            case "count" -> (given, named) -> (long) text.split(Pattern.quote(string(only(given))), -1).length - 1;
            case "replace" ->
                (given, named) -> replaced(text, string(given.get(0)), string(given.get(1)), limit(given, 2));
            case "split" ->
                (given, named) -> split(
                        text,
                        optional(given, 0),
                        named.containsKey("maxsplit") ? Operators.integer(named.get("maxsplit")) : limit(given, 1));
            case "splitlines" ->
                (given, named) -> new ArrayList<Object>(text.lines().toList());
            case "join" ->
                (given, named) -> {
                    List<String> parts = new ArrayList<>();
                    Python.elements(only(given)).forEach(part -> parts.add(string(part)));
                    return String.join(text, parts);
                };
            case "format" -> (given, named) -> Formats.braces(text, given, named);
            case "isdigit" -> (given, named) -> !text.isEmpty() && text.chars().allMatch(Character::isDigit);
            case "isspace" -> (given, named) -> !text.isEmpty() && text.isBlank();
            case "rsplit",
                    "partition",
                    "rpartition",
                    "index",
                    "rindex",
                    "isalpha",
                    "isalnum",
                    "isupper",
                    "islower",
                    "swapcase",
                    "zfill",
                    "center",
                    "ljust",
                    "rjust",
                    "encode",
                    "expandtabs",
                    "casefold",
                    "translate",
                    "isnumeric" ->
                (given, named) -> {
                    throw new InterpretException(
                            "the method '%s' of a text is not supported in chat templates".formatted(name));
                };
            default -> null;
        };
    }

    /** The text without blanks, or those characters, at its ends. */
    static String strip(String text, Object characters, boolean left, boolean right) {
        Predicate<Integer> drops = characters == Absent.NONE
                ? c -> Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85
                : c -> string(characters).indexOf(c) >= 0;
        int from = 0;
        int to = text.length();
        while (left && from < to && drops.test((int) text.charAt(from))) {
            from++;
        }
        while (right && from < to && drops.test((int) text.charAt(to - 1))) {
            to--;
        }
        return text.substring(from, to);
    }

    static String capitalized(String text) {
        return text.isEmpty()
                ? text
                : text.substring(0, 1).toUpperCase(Locale.ROOT)
                        + text.substring(1).toLowerCase(Locale.ROOT);
    }

    /** A place as Python counts it, in code points. */
    private static long place(String text, int index) {
        return index < 0 ? -1 : text.codePointCount(0, index);
    }

    private static String replaced(String text, String old, String other, long times) {
        if (times < 0) {
            return text.replace(old, other);
        }
        String result = text;
        int from = 0;
        for (long i = 0; i < times && result.indexOf(old, from) >= 0; i++) {
            int at = result.indexOf(old, from);
            result = result.substring(0, at) + other + result.substring(at + old.length());
            from = at + other.length();
        }
        return result;
    }

    /** By a separator, at most so many times; without one by runs of blanks. */
    private static List<Object> split(String text, Object separator, long times) {
        int limit = times < 0 ? -1 : Math.toIntExact(times + 1);
        if (separator != Absent.NONE) {
            if (string(separator).isEmpty()) {
                throw new InterpretException("empty separator");
            }
            return new ArrayList<>(Arrays.asList(text.split(Pattern.quote(string(separator)), limit)));
        }
        String inner = strip(text, Absent.NONE, true, limit < 0);
        return inner.isEmpty() ? new ArrayList<>() : new ArrayList<>(Arrays.asList(inner.split("\\s+", limit)));
    }

    /** For one string, or a tuple of them. */
    private static boolean any(Object given, Predicate<String> holds) {
        List<?> choices = given instanceof Tuple several ? several : List.of(given);
        return choices.stream().map(StringMethods::string).anyMatch(holds);
    }

    private static Object optional(List<Object> given, int index) {
        return index < given.size() ? given.get(index) : Absent.NONE;
    }

    private static long limit(List<Object> given, int index) {
        return index < given.size() ? Operators.integer(given.get(index)) : -1;
    }

    private static Object only(List<Object> given) {
        if (given.size() != 1) {
            throw new InterpretException(
                    "a method of a text is called with %d arguments, only one is supported in chat templates"
                            .formatted(given.size()));
        }
        return given.get(0);
    }

    private static String string(Object value) {
        if (value instanceof String text) {
            return text;
        }
        throw new InterpretException("a method of a text takes a text, not '%s'".formatted(Python.kind(value)));
    }
}
