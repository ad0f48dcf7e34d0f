package io.rlhf4j.tokenizer.jinja;

import com.hubspot.jinjava.el.ext.ExtendedParser;
import com.hubspot.jinjava.interpret.InterpretException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import jinjava.de.odysseus.el.tree.impl.Builder;
import jinjava.de.odysseus.el.tree.impl.Scanner.ScanException;
import jinjava.de.odysseus.el.tree.impl.Scanner.Symbol;

/** What stands between the operators of Jinja's expressions: literals and names, with all that follows them. */
abstract class ValueParser extends ExtendedParser {
    private static final Set<String> WORDS = Set.of("and", "or", "not", "if", "else", "in", "is");

    ValueParser(Builder context, String input) {
        super(context, input);
    }

    /** A whole expression. */
    abstract Supplier<Object> choice() throws ScanException, ParseException;

    Supplier<Object> primary() throws ScanException, ParseException {
        Symbol symbol = getToken().getSymbol();
        String image = getToken().getImage();
        if (symbol == Symbol.STRING) {
            StringBuilder text = new StringBuilder();
            while (getToken().getSymbol() == Symbol.STRING) {
                text.append(consumeToken().getImage());
            }
            return constant(text.toString());
        }
        if (symbol == Symbol.INTEGER || symbol == Symbol.FLOAT) {
            consumeToken();
            return constant(
                    symbol == Symbol.INTEGER
                            ? (Object) parseInteger(image).longValue()
                            : parseFloat(image).doubleValue());
        }
        if (accept("(")) {
            return parenthesis();
        }
        if (accept("[")) {
            List<Supplier<Object>> elements = elements("]");
            return () -> Arguments.values(elements);
        }
        if (accept("{")) {
            return mapping();
        }
        if (image == null || !image.matches("[\\p{L}_]\\w*") || WORDS.contains(image)) {
            fail("a value");
        }
        consumeToken();
        return switch (image) {
            case "true", "True" -> constant(true);
            case "false", "False" -> constant(false);
            case "none", "None" -> constant(Absent.NONE);
            case "self", "super", "cycler", "joiner", "lipsum", "varargs", "kwargs" ->
                throw new InterpretException("'%s' is not supported in chat templates".formatted(image));
            default -> () -> Expression.name(image);
        };
    }

    private Supplier<Object> parenthesis() throws ScanException, ParseException {
        if (accept(")")) {
            return constant(new Tuple(List.of()));
        }
        Supplier<Object> first = choice();
        if (accept(")")) {
            return first;
        }
        expect(",");
        List<Supplier<Object>> elements = new ArrayList<>(List.of(first));
        elements.addAll(elements(")"));
        return () -> new Tuple(Arguments.values(elements));
    }

    private List<Supplier<Object>> elements(String end) throws ScanException, ParseException {
        List<Supplier<Object>> elements = new ArrayList<>();
        while (!accept(end)) {
            elements.add(choice());
            if (!at(end)) {
                expect(",");
            }
        }
        return elements;
    }

    private Supplier<Object> mapping() throws ScanException, ParseException {
        Map<Supplier<Object>, Supplier<Object>> entries = new LinkedHashMap<>();
        while (!accept("}")) {
            Supplier<Object> key = choice();
            expect(":");
            entries.put(key, choice());
            if (!at("}")) {
                expect(",");
            }
        }
        return () -> {
            Map<Object, Object> map = new LinkedHashMap<>();
            entries.forEach((key, value) -> map.put(key.get(), value.get()));
            return map;
        };
    }

    /** Attributes, entries, slices and calls. */
    Supplier<Object> behind(Supplier<Object> first) throws ScanException, ParseException {
        Supplier<Object> value = first;
        while (true) {
            Supplier<Object> base = value;
            if (accept(".")) {
                String name = consumeToken().getImage();
                value = () -> Access.attribute(base.get(), name);
            } else if (accept("[")) {
                value = subscript(base);
            } else if (accept("(")) {
                Arguments arguments = arguments();
                value = () -> arguments.call(base.get());
            } else {
                return value;
            }
        }
    }

    private Supplier<Object> subscript(Supplier<Object> base) throws ScanException, ParseException {
        List<Supplier<Object>> parts = new ArrayList<>();
        do {
            parts.add(at(":") || at("]") ? constant(Absent.NONE) : choice());
        } while (accept(":"));
        expect("]");
        if (parts.size() == 1) {
            return () -> Access.item(base.get(), parts.get(0).get());
        }
        Supplier<Object> step = parts.size() > 2 ? parts.get(2) : constant(Absent.NONE);
        return () -> Access.slice(base.get(), parts.get(0).get(), parts.get(1).get(), step.get());
    }

    private Arguments arguments() throws ScanException, ParseException {
        Arguments arguments = new Arguments(new ArrayList<>(), new LinkedHashMap<>());
        while (!accept(")")) {
            if (getToken().getSymbol() == Symbol.IDENTIFIER
                    && "=".equals(lookahead(0).getImage())) {
                String name = consumeToken().getImage();
                expect("=");
                arguments.named().put(name, choice());
            } else {
                arguments.listed().add(choice());
            }
            if (!at(")")) {
                expect(",");
            }
        }
        return arguments;
    }

    /** {@code value | filter(...)} and {@code value is test(...)}. */
    Supplier<Object> filters(Supplier<Object> first) throws ScanException, ParseException {
        Supplier<Object> value = first;
        while (at("|") || at("is")) {
            Supplier<Object> base = value;
            if (accept("|")) {
                String name = consumeToken().getImage();
                Arguments arguments = accept("(") ? arguments() : Arguments.NONE;
                value = () -> Filters.apply(name, base.get(), arguments.values(), arguments.namedValues());
            } else {
                expect("is");
                boolean negated = accept("not");
                String name = consumeToken().getImage();
                Arguments arguments = testArguments();
                value = () -> negated != Tests.holds(name, base.get(), arguments.values());
            }
        }
        return value;
    }

    private Arguments testArguments() throws ScanException, ParseException {
        if (accept("(")) {
            return arguments();
        }
        Symbol symbol = getToken().getSymbol();
        boolean argument = symbol == Symbol.STRING
                || symbol == Symbol.INTEGER
                || symbol == Symbol.FLOAT
                || at("[")
                || at("{")
                || word().matches("[\\p{L}_]\\w*") && !WORDS.contains(word());
        return argument ? new Arguments(List.of(behind(primary())), Map.of()) : Arguments.NONE;
    }

    private static Supplier<Object> constant(Object value) {
        return () -> value;
    }

    /** The current token as it is written; nothing where it is a text. */
    String word() {
        String image = getToken().getImage();
        return getToken().getSymbol() == Symbol.STRING || image == null ? "" : image;
    }

    boolean at(String image) throws ScanException, ParseException {
        return image.equals("not in") ? at("not") && "in".equals(lookahead(0).getImage()) : word().equals(image);
    }

    boolean accept(String image) throws ScanException, ParseException {
        boolean found = at(image);
        if (found) {
            consumeToken();
        }
        return found;
    }

    void expect(String image) throws ScanException, ParseException {
        if (!accept(image)) {
            fail("'" + image + "'");
        }
    }
}
