package io.rlhf4j.tokenizer.jinja;

import com.hubspot.jinjava.interpret.InterpretException;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** Python's operators; what Python refuses is refused. */
final class Operators {
    private Operators() {}

    /** {@code left operator right}. */
    static Object binary(String operator, Object left, Object right) {
        return switch (operator) {
            case "==" -> equal(left, right);
            case "!=" -> !equal(left, right);
            case "<" -> compare(left, right, operator) < 0;
            case "<=" -> compare(left, right, operator) <= 0;
            case ">" -> compare(left, right, operator) > 0;
            case ">=" -> compare(left, right, operator) >= 0;
            case "in" -> contains(right, left);
            case "not in" -> !contains(right, left);
            case "~" -> Python.text(left) + Python.text(right);
            default -> arithmetic(operator, left, right);
        };
    }

    /** {@code -value}. */
    static Object negative(Object value) {
        return value instanceof Double number ? (Object) (-number) : arithmetic("-", 0L, value);
    }

    private static Object arithmetic(String operator, Object left, Object right) {
        if (left instanceof Markup || right instanceof Markup) {
            throw new InterpretException(
                    "%s beside the filter 'safe' escapes for HTML, which is not supported in chat templates"
                            .formatted(operator));
        }
        if (operator.equals("%") && left instanceof String format) {
            return Formats.percent(format, right instanceof Tuple several ? several : Collections.singletonList(right));
        }
        if (operator.equals("+") && left instanceof String first && right instanceof String second) {
            return first + second;
        }
        if (operator.equals("+")
                && Python.kind(left).equals(Python.kind(right))
                && left instanceof Collection<?> first) {
            List<Object> all = new ArrayList<>(first);
            all.addAll((Collection<?>) right);
            return left instanceof Tuple ? new Tuple(all) : all;
        }
        if (operator.equals("*") && isNumber(left) && (right instanceof String || right instanceof List)) {
            return arithmetic(operator, right, left);
        }
        if (operator.equals("*") && isInteger(right) && left instanceof String text) {
            return text.repeat((int) Math.max(0, integer(right)));
        }
        if (operator.equals("*") && isInteger(right) && left instanceof List<?> list) {
            List<Object> all = new ArrayList<>();
            for (long i = 0; i < integer(right); i++) {
                all.addAll(list);
            }
            return left instanceof Tuple ? new Tuple(all) : all;
        }
        if (!isNumber(left) || !isNumber(right)) {
            throw unsupported(operator, left, right);
        }
        return isInteger(left) && isInteger(right) && !operator.equals("/")
                ? integers(operator, integer(left), integer(right))
                : doubles(operator, number(left), number(right));
    }

    private static Object integers(String operator, long left, long right) {
        return switch (operator) {
            case "+" -> Math.addExact(left, right);
            case "-" -> Math.subtractExact(left, right);
            case "*" -> Math.multiplyExact(left, right);
            case "//" -> Math.floorDiv(left, right);
            case "%" -> Math.floorMod(left, right);
            case "**" -> power(left, right);
            default -> throw new InterpretException("no operator " + operator);
        };
    }

    private static Object power(long left, long right) {
        if (right < 0) {
            return Math.pow(left, right);
        }
        return BigInteger.valueOf(left).pow(Math.toIntExact(right)).longValueExact();
    }

    private static Object doubles(String operator, double left, double right) {
        if (right == 0 && (operator.equals("/") || operator.equals("//") || operator.equals("%"))) {
            throw new InterpretException("division by zero");
        }
        return switch (operator) {
            case "+" -> left + right;
            case "-" -> left - right;
            case "*" -> left * right;
            case "/" -> left / right;
            case "//" -> Math.floor(left / right);
            case "%" -> left - Math.floor(left / right) * right;
            case "**" -> Math.pow(left, right);
            default -> throw new InterpretException("no operator " + operator);
        };
    }

    /** {@code left == right}: numbers by their value, lists and mappings by what they hold. */
    static boolean equal(Object left, Object right) {
        if (left instanceof Markup || right instanceof Markup || left instanceof View || right instanceof View) {
            throw new InterpretException(
                    "a view, or a text behind the filter 'safe', is compared: not supported in chat templates");
        }
        if (isNumber(left) && isNumber(right)) {
            return isInteger(left) && isInteger(right)
                    ? integer(left) == integer(right)
                    : number(left) == number(right);
        }
        if (left instanceof List<?> first && right instanceof List<?> second) {
            boolean same = Python.kind(left).equals(Python.kind(right)) && first.size() == second.size();
            for (int i = 0; same && i < first.size(); i++) {
                same = equal(first.get(i), second.get(i));
            }
            return same;
        }
        if (left instanceof Map<?, ?> first && right instanceof Map<?, ?> second) {
            return first.size() == second.size()
                    && first.entrySet().stream()
                            .allMatch(entry -> second.containsKey(entry.getKey())
                                    && equal(entry.getValue(), second.get(entry.getKey())));
        }
        return left.equals(right);
    }

    /** Below, at or above 0, as left stands before, with or behind right. */
    static int compare(Object left, Object right, String operator) {
        if (isNumber(left) && isNumber(right)) {
            return Double.compare(number(left), number(right));
        }
        if (left instanceof String first && right instanceof String second) {
            int[] a = first.codePoints().toArray();
            int[] b = second.codePoints().toArray();
            return Arrays.compare(a, b);
        }
        if (left instanceof List<?> first && right instanceof List<?> second) {
            for (int i = 0; i < Math.min(first.size(), second.size()); i++) {
                if (!equal(first.get(i), second.get(i))) {
                    return compare(first.get(i), second.get(i), operator);
                }
            }
            return Integer.compare(first.size(), second.size());
        }
        throw unsupported(operator, left, right);
    }

    /** {@code element in whole}. */
    static boolean contains(Object whole, Object element) {
        if (whole instanceof String text) {
            if (!(element instanceof String part)) {
                throw unsupported("in", element, whole);
            }
            return text.contains(part);
        }
        return Python.elements(whole).stream().anyMatch(each -> equal(each, element));
    }

    static boolean isNumber(Object value) {
        return value instanceof Number || value instanceof Boolean;
    }

    static boolean isInteger(Object value) {
        return value instanceof Long || value instanceof Boolean;
    }

    static long integer(Object value) {
        if (!isInteger(value)) {
            throw new InterpretException("'%s' object is no integer".formatted(Python.kind(value)));
        }
        return value instanceof Boolean holds ? holds ? 1 : 0 : (Long) value;
    }

    static double number(Object value) {
        return value instanceof Double number ? number : integer(value);
    }

    private static InterpretException unsupported(String operator, Object left, Object right) {
        return new InterpretException("unsupported operand types for %s: '%s' and '%s'"
                .formatted(operator, Python.kind(left), Python.kind(right)));
    }
}
