package io.rlhf4j.tokenizer;

import java.beans.FeatureDescriptor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import jinjava.javax.el.ELContext;
import jinjava.javax.el.ELResolver;

/** Methods of Python's strings, which chat templates call; Java's strings have them under other names or not at all. */
final class PythonStrings extends ELResolver {
    private static final String BLANKS = " \t\n\r\f\u000b";

    @Override
    public Object invoke(
            ELContext context, Object base, Object method, Class<?>[] parameterTypes, Object[] parameters) {
        if (!(base instanceof String text) || method == null) {
            return null;
        }
        Object[] given = parameters == null ? new Object[0] : parameters;
        Optional<Object> result = call(text, method.toString(), given);
        result.ifPresent(found -> context.setPropertyResolved(true));
        return result.orElse(null);
    }

    /** What Python gives; nothing where the method is not one of Python's, or takes something else. */
    private static Optional<Object> call(String text, String method, Object... given) {
        Object result =
                switch (method) {
                    case "strip" -> left(right(text, given), given);
                    case "lstrip" -> left(text, given);
                    case "rstrip" -> right(text, given);
                    case "startswith" -> any(given, text::startsWith);
                    case "endswith" -> any(given, text::endsWith);
                    case "removeprefix" ->
                        text.startsWith(string(given, 0))
                                ? text.substring(string(given, 0).length())
                                : text;
                    case "removesuffix" ->
                        text.endsWith(string(given, 0))
                                ? text.substring(
                                        0, text.length() - string(given, 0).length())
                                : text;
                    case "lower" -> text.toLowerCase(Locale.ROOT);
                    case "upper" -> text.toUpperCase(Locale.ROOT);
                    case "capitalize" -> capitalized(text);
                    case "title" ->
                        Pattern.compile("\\p{L}+").matcher(text).replaceAll(word -> capitalized(word.group()));
                    case "find" -> (long) text.indexOf(string(given, 0));
                    case "count" -> (long) text.split(Pattern.quote(string(given, 0)), -1).length - 1;
                    case "split" -> split(text, given);
                    case "splitlines" -> text.lines().toList();
                    case "join" ->
                        ((Collection<?>) given[0])
                                .stream().map(Objects::toString).collect(Collectors.joining(text));
                    default -> null;
                };
        return Optional.ofNullable(result);
    }

    private static String string(Object[] given, int index) {
        return Objects.toString(given[index]);
    }

    private static String left(String text, Object... given) {
        String dropped = given.length == 0 ? BLANKS : string(given, 0);
        int from = 0;
        while (from < text.length() && dropped.indexOf(text.charAt(from)) >= 0) {
            from++;
        }
        return text.substring(from);
    }

    private static String right(String text, Object... given) {
        String dropped = given.length == 0 ? BLANKS : string(given, 0);
        int to = text.length();
        while (to > 0 && dropped.indexOf(text.charAt(to - 1)) >= 0) {
            to--;
        }
        return text.substring(0, to);
    }

    /** For one string, or a tuple of them. */
    private static boolean any(Object[] given, java.util.function.Predicate<String> holds) {
        Collection<?> choices = given[0] instanceof Collection<?> several ? several : List.of(given[0]);
        return choices.stream().map(Objects::toString).anyMatch(holds);
    }

    private static String capitalized(String text) {
        return text.isEmpty()
                ? text
                : text.substring(0, 1).toUpperCase(Locale.ROOT)
                        + text.substring(1).toLowerCase(Locale.ROOT);
    }

    /** By a separator, at most so many times; without one by runs of blanks. */
    private static List<String> split(String text, Object... given) {
        int limit = given.length > 1 && ((Number) given[1]).intValue() >= 0 ? ((Number) given[1]).intValue() + 1 : -1;
        if (given.length > 0 && given[0] != null) {
            return new ArrayList<>(Arrays.asList(text.split(Pattern.quote(string(given, 0)), limit)));
        }
        String inner = left(limit < 0 ? right(text) : text);
        return inner.isEmpty() ? new ArrayList<>() : new ArrayList<>(Arrays.asList(inner.split("\\s+", limit)));
    }

    @Override
    public Object getValue(ELContext context, Object base, Object property) {
        return null;
    }

    @Override
    public Class<?> getType(ELContext context, Object base, Object property) {
        return null;
    }

    @Override
    public void setValue(ELContext context, Object base, Object property, Object value) {
        // Nothing of a string can be set: another resolver says so.
    }

    @Override
    public boolean isReadOnly(ELContext context, Object base, Object property) {
        return true;
    }

    @Override
    public Iterator<FeatureDescriptor> getFeatureDescriptors(ELContext context, Object base) {
        return Collections.emptyIterator();
    }

    @Override
    public Class<?> getCommonPropertyType(ELContext context, Object base) {
        return null;
    }
}
