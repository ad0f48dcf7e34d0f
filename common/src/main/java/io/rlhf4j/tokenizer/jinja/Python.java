package io.rlhf4j.tokenizer.jinja;

import com.hubspot.jinjava.interpret.InterpretException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;

/**
 * Python's meaning of values. Templates see Boolean, Long, Double, String, List, Map, {@link Tuple}, {@link Absent}, and
 * objects of the engine.
 */
final class Python {
    private Python() {}

    /** A value as JSON holds it, as templates see it. */
    static Object of(Object value) {
        if (value == null) {
            return Absent.NONE;
        }
        if (value instanceof Map<?, ?> map) {
            Map<Object, Object> copy = new LinkedHashMap<>();
            map.forEach((key, part) -> copy.put(key, of(part)));
            return copy;
        }
        if (value instanceof Collection<?> list) {
            List<Object> copy = new ArrayList<>();
            list.forEach(part -> copy.add(of(part)));
            return copy;
        }
        if (value instanceof Float || value instanceof BigDecimal) {
            return ((Number) value).doubleValue();
        }
        boolean small = value instanceof Integer || value instanceof Short || value instanceof Byte;
        return small ? (Object) ((Number) value).longValue() : value;
    }

    /** Whether a condition holds. */
    static boolean truth(Object value) {
        if (value instanceof Boolean holds) {
            return holds;
        }
        if (value instanceof Number number) {
            return number.doubleValue() != 0;
        }
        if (value instanceof String text) {
            return !text.isEmpty();
        }
        if (value instanceof Collection<?> list) {
            return !list.isEmpty() || value instanceof View view && view.isOnce();
        }
        if (value instanceof Markup markup) {
            return !markup.text().isEmpty();
        }
        return value instanceof Map<?, ?> map ? !map.isEmpty() : !(value instanceof Absent);
    }

    /** {@code str(value)}. */
    static String text(Object value) {
        if (value instanceof String text) {
            return text;
        }
        if (value instanceof Markup markup) {
            return markup.text();
        }
        if (value instanceof Boolean holds) {
            return holds ? "True" : "False";
        }
        if (value instanceof Double number) {
            return text(number.doubleValue());
        }
        if (value instanceof Map<?, ?> map) {
            StringJoiner entries = new StringJoiner(", ", "{", "}");
            map.forEach((key, part) -> entries.add(quoted(key) + ": " + quoted(part)));
            return entries.toString();
        }
        if (value instanceof Collection<?> list && !(value instanceof View)) {
            boolean tuple = value instanceof Tuple;
            StringJoiner elements =
                    new StringJoiner(", ", tuple ? "(" : "[", tuple ? list.size() == 1 ? ",)" : ")" : "]");
            list.forEach(element -> elements.add(quoted(element)));
            return elements.toString();
        }
        if (value instanceof Number || value instanceof Absent) {
            return value.toString();
        }
        throw new InterpretException("a template writes an object that is no text: " + kind(value));
    }

    /** {@code repr(value)}. */
    private static String quoted(Object value) {
        if (value == Absent.UNDEFINED) {
            return "Undefined";
        }
        if (!(value instanceof String text)) {
            return text(value);
        }
        char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
        StringBuilder written = new StringBuilder().append(quote);
        text.codePoints().forEach(c -> {
            switch (c) {
                case '\n' -> written.append("\\n");
                case '\r' -> written.append("\\r");
                case '\t' -> written.append("\\t");
                default -> {
                    if (c == quote || c == '\\') {
                        written.append('\\').appendCodePoint(c);
                    } else if (c < ' ' || c == 0x7f) {
                        written.append("\\x%02x".formatted(c));
                    } else {
                        written.appendCodePoint(c);
                    }
                }
            }
        });
        return written.append(quote).toString();
    }

    /** The shortest digits that give the number again, with an exponent where Python writes one. */
    static String text(double number) {
        if (Double.isNaN(number) || Double.isInfinite(number)) {
            return Double.isNaN(number) ? "nan" : number > 0 ? "inf" : "-inf";
        }
        BigDecimal digits = new BigDecimal(Double.toString(number)).stripTrailingZeros();
        int exponent = digits.precision() - digits.scale() - 1;
        if (number == 0 || exponent >= -4 && exponent < 16) {
            String plain = number == 0 ? "0" : digits.toPlainString();
            String sign = number == 0 && 1 / number < 0 ? "-" : "";
            return sign + (plain.indexOf('.') < 0 ? plain + ".0" : plain);
        }
        String all = digits.unscaledValue().abs().toString();
        return (number < 0 ? "-" : "")
                + all.charAt(0)
                + (all.length() > 1 ? "." + all.substring(1) : "")
                + "e%s%02d".formatted(exponent < 0 ? "-" : "+", Math.abs(exponent));
    }

    /** What a loop, {@code list} or {@code in} goes through. */
    static List<Object> elements(Object value) {
        if (value instanceof Map<?, ?> map) {
            return new ArrayList<>(map.keySet());
        }
        if (value instanceof View view) {
            return view.elements();
        }
        if (value instanceof Collection<?> list) {
            return new ArrayList<>(list);
        }
        if (value instanceof String text) {
            List<Object> characters = new ArrayList<>();
            text.codePoints().forEach(c -> characters.add(Character.toString(c)));
            return characters;
        }
        if (value == Absent.UNDEFINED) {
            return List.of();
        }
        throw new InterpretException("'%s' object is not iterable".formatted(kind(value)));
    }

    /** {@code len(value)}. */
    static long length(Object value) {
        if (value instanceof View view && view.isOnce()) {
            throw new InterpretException("a filter's result has no length: that needs '|list' before");
        }
        return value instanceof String text
                ? text.codePointCount(0, text.length())
                : elements(value).size();
    }

    /** The name of a value's type, for messages. */
    static String kind(Object value) {
        if (value instanceof Absent) {
            return value == Absent.NONE ? "NoneType" : "Undefined";
        }
        if (value instanceof Boolean) {
            return "bool";
        }
        if (value instanceof Number) {
            return value instanceof Double ? "float" : "int";
        }
        if (value instanceof String) {
            return "str";
        }
        if (value instanceof Map) {
            return "dict";
        }
        if (value instanceof View) {
            return "view";
        }
        return value instanceof Tuple
                ? "tuple"
                : value instanceof Collection ? "list" : value instanceof Callable ? "function" : "object";
    }
}
