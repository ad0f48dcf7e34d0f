package io.rlhf4j.tokenizer.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import jinjava.de.odysseus.el.tree.impl.Builder;
import jinjava.de.odysseus.el.tree.impl.Scanner.ScanException;
import jinjava.de.odysseus.el.tree.impl.ast.AstNode;

/**
 * Jinja's expressions in Jinja's order of precedence. Jinjava's own grammar binds {@code not} tighter than {@code in} and
 * {@code ==}, has no steps in slices and no chained comparisons.
 */
final class ExpressionParser extends ValueParser {
    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=", "in");

    ExpressionParser(Builder context, String input) {
        super(context, input);
    }

    @Override
    protected AstNode expr(boolean required) throws ScanException, ParseException {
        return new Expression(choice());
    }

    @Override
    Supplier<Object> choice() throws ScanException, ParseException {
        Supplier<Object> value = or();
        while (accept("if")) {
            Supplier<Object> then = value;
            Supplier<Object> condition = or();
            Supplier<Object> otherwise = accept("else") ? choice() : () -> Absent.UNDEFINED;
            value = () -> Python.truth(condition.get()) ? then.get() : otherwise.get();
        }
        return value;
    }

    private Supplier<Object> or() throws ScanException, ParseException {
        Supplier<Object> value = and();
        while (accept("or")) {
            Supplier<Object> left = value;
            Supplier<Object> right = and();
            value = () -> {
                Object first = left.get();
                return Python.truth(first) ? first : right.get();
            };
        }
        return value;
    }

    private Supplier<Object> and() throws ScanException, ParseException {
        Supplier<Object> value = not();
        while (accept("and")) {
            Supplier<Object> left = value;
            Supplier<Object> right = not();
            value = () -> {
                Object first = left.get();
                return Python.truth(first) ? right.get() : first;
            };
        }
        return value;
    }

    private Supplier<Object> not() throws ScanException, ParseException {
        if (accept("not")) {
            Supplier<Object> value = not();
            return () -> !Python.truth(value.get());
        }
        return comparison();
    }

    private Supplier<Object> comparison() throws ScanException, ParseException {
        List<Supplier<Object>> operands = new ArrayList<>(List.of(sum()));
        List<String> operators = new ArrayList<>();
        while (COMPARISONS.contains(word()) || at("not in")) {
            String operator = word();
            consumeToken();
            if (operator.equals("not")) {
                expect("in");
                operator = "not in";
            }
            operators.add(operator);
            operands.add(sum());
        }
        if (operators.isEmpty()) {
            return operands.get(0);
        }
        return () -> {
            Object left = operands.get(0).get();
            for (int i = 0; i < operators.size(); i++) {
                Object right = operands.get(i + 1).get();
                if (!Python.truth(Operators.binary(operators.get(i), left, right))) {
                    return false;
                }
                left = right;
            }
            return true;
        };
    }

    private Supplier<Object> sum() throws ScanException, ParseException {
        return chain(Set.of("+", "-"), this::concatenation);
    }

    private Supplier<Object> concatenation() throws ScanException, ParseException {
        return chain(Set.of("~"), this::product);
    }

    private Supplier<Object> product() throws ScanException, ParseException {
        return chain(Set.of("*", "/", "//", "%"), this::power);
    }

    private Supplier<Object> power() throws ScanException, ParseException {
        return chain(Set.of("**"), () -> signed(true));
    }

    private Supplier<Object> chain(Set<String> operators, Level operand) throws ScanException, ParseException {
        Supplier<Object> value = operand.parse();
        while (operators.contains(word())) {
            String operator = word();
            consumeToken();
            Supplier<Object> left = value;
            Supplier<Object> right = operand.parse();
            value = () -> Operators.binary(operator, left.get(), right.get());
        }
        return value;
    }

    private Supplier<Object> signed(boolean filtered) throws ScanException, ParseException {
        Supplier<Object> value;
        if (accept("-")) {
            Supplier<Object> positive = signed(false);
            value = () -> Operators.negative(positive.get());
        } else if (accept("+")) {
            value = signed(false);
        } else {
            value = behind(primary());
        }
        return filtered ? filters(value) : value;
    }

    @FunctionalInterface
    private interface Level {
        Supplier<Object> parse() throws ScanException, ParseException;
    }
}
