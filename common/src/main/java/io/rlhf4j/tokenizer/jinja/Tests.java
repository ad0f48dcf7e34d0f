package io.rlhf4j.tokenizer.jinja;

import com.hubspot.jinjava.interpret.InterpretException;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/** Jinja's tests: {@code value is name}. */
final class Tests {
    private Tests() {}

    /** Whether {@code value is name(given)}. */
    static boolean holds(String name, Object value, List<Object> given) {
        return switch (name) {
            case "defined" -> value != Absent.UNDEFINED;
            case "undefined" -> value == Absent.UNDEFINED;
            case "none" -> value == Absent.NONE;
            case "string" -> value instanceof String || value instanceof Markup;
            case "mapping" -> value instanceof Map;
            case "sequence" -> iterable(value) && !(value instanceof View);
            case "iterable" -> iterable(value);
            case "number" -> Operators.isNumber(value);
            case "integer" -> value instanceof Long;
            case "float" -> value instanceof Double;
            case "boolean" -> value instanceof Boolean;
            case "callable" -> value instanceof Callable;
            case "true" -> Boolean.TRUE.equals(value);
            case "false" -> Boolean.FALSE.equals(value);
            case "odd" -> Operators.equal(Operators.binary("%", value, 2L), 1L);
            case "even" -> Operators.equal(Operators.binary("%", value, 2L), 0L);
            case "divisibleby" -> Operators.equal(Operators.binary("%", value, first(name, given)), 0L);
            case "eq", "equalto", "==" -> Operators.equal(value, first(name, given));
            case "ne", "!=" -> !Operators.equal(value, first(name, given));
            case "lt", "lessthan", "<" -> Operators.compare(value, first(name, given), "<") < 0;
            case "le", "<=" -> Operators.compare(value, first(name, given), "<=") <= 0;
            case "gt", "greaterthan", ">" -> Operators.compare(value, first(name, given), ">") > 0;
            case "ge", ">=" -> Operators.compare(value, first(name, given), ">=") >= 0;
            case "in" -> Operators.contains(first(name, given), value);
            default ->
                throw new InterpretException("the test 'is %s' is not supported in chat templates".formatted(name));
        };
    }

    private static boolean iterable(Object value) {
        return value instanceof Collection
                || value instanceof Map
                || value instanceof String
                || value == Absent.UNDEFINED;
    }

    private static Object first(String name, List<Object> given) {
        if (given.size() != 1) {
            throw new InterpretException("the test 'is %s' takes one argument, not %d".formatted(name, given.size()));
        }
        return given.get(0);
    }
}
