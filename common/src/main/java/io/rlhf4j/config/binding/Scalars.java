package io.rlhf4j.config.binding;

import io.rlhf4j.config.MemorySize;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Values without parts: their texts, their types' names. */
final class Scalars {
    private static final Pattern DURATION = Pattern.compile("(\\d+)\\s*(ms|s|m|h|d)");
    private static final Pattern DECIMAL = Pattern.compile("[-+]?(\\d+(\\.\\d*)?|\\.\\d+)([eE][-+]?\\d+)?");
    private static final Map<String, Duration> UNITS = Map.of(
            "ms", Duration.ofMillis(1),
            "s", Duration.ofSeconds(1),
            "m", Duration.ofMinutes(1),
            "h", Duration.ofHours(1),
            "d", Duration.ofDays(1));

    private Scalars() {}

    /** What values of a type look like, for messages and the reference page. */
    static String describe(Class<?> type) {
        if (type == int.class || type == long.class) {
            return "whole number";
        }
        if (type == double.class || type == Double.class) {
            return "number";
        }
        if (type == boolean.class) {
            return "true or false";
        }
        if (type == Duration.class) {
            return "duration";
        }
        if (type == MemorySize.class) {
            return "amount of memory";
        }
        if (type.isEnum()) {
            return Arrays.stream(type.getEnumConstants())
                    .map(constant -> Key.inFile(((Enum<?>) constant).name()))
                    .collect(Collectors.joining(" | "));
        }
        return "text";
    }

    /** The value that a text stands for, empty where it stands for none of this type. */
    static Optional<Object> parse(Class<?> type, String text) {
        if (type == String.class) {
            return Optional.of(text);
        }
        if (type == boolean.class) {
            return text.equals("true") || text.equals("false") ? Optional.of(text.equals("true")) : Optional.empty();
        }
        if (type == Duration.class) {
            return duration(text);
        }
        if (type == MemorySize.class) {
            return MemorySize.parse(text).map(Object.class::cast);
        }
        if (type.isEnum()) {
            return Arrays.stream(type.getEnumConstants())
                    .filter(constant -> Key.inFile(((Enum<?>) constant).name()).equals(text.toLowerCase(Locale.ROOT)))
                    .map(Object.class::cast)
                    .findFirst();
        }
        return number(type, text);
    }

    private static Optional<Object> number(Class<?> type, String text) {
        try {
            if (type == int.class) {
                return Optional.of(Integer.valueOf(text.replace("_", "")));
            }
            if (type == long.class) {
                return Optional.of(Long.valueOf(text.replace("_", "")));
            }
            if (type == double.class || type == Double.class) {
                double value = DECIMAL.matcher(text).matches() ? Double.parseDouble(text) : Double.NaN;
                return Double.isFinite(value) ? Optional.of(value) : Optional.empty();
            }
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
        throw new IllegalStateException("values of " + type + " cannot be read");
    }

    private static Optional<Object> duration(String text) {
        Matcher parts = DURATION.matcher(text);
        if (!parts.matches() || parts.group(1).length() > 9) {
            return Optional.empty();
        }
        return Optional.of(UNITS.get(parts.group(2)).multipliedBy(Long.parseLong(parts.group(1))));
    }

    /** The text that {@link #parse} turns into {@code value}. */
    static String write(Object value) {
        if (value instanceof Enum<?> constant) {
            return Key.inFile(constant.name());
        }
        if (value instanceof Duration duration) {
            for (String unit : new String[] {"d", "h", "m", "s"}) {
                long length = UNITS.get(unit).toMillis();
                if (duration.toMillis() % length == 0 && !duration.isZero()) {
                    return duration.toMillis() / length + unit;
                }
            }
            return duration.toMillis() + "ms";
        }
        return String.valueOf(value);
    }
}
