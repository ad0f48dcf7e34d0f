package io.rlhf4j.tokenizer.jinja;

import com.hubspot.jinjava.interpret.Context;
import com.hubspot.jinjava.interpret.InterpretException;
import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.tree.Node;
import java.util.List;
import java.util.regex.Pattern;

/** Names and the blocks that see them. */
final class Scopes {
    private static final Pattern NAME = Pattern.compile("\\w+");

    private Scopes() {}

    /** The text of nodes, up to a break or continue of the loop around them. */
    static String render(List<Node> nodes, JinjavaInterpreter interpreter) {
        StringBuilder text = new StringBuilder();
        for (Node node : nodes) {
            text.append(node.render(interpreter).getValue());
            if (Expression.name("loop") instanceof Loop loop && loop.skipped()) {
                break;
            }
        }
        return text.toString();
    }

    /** Gives a target, which is a name, {@code namespace.name} or several names with commas, a value. */
    static void assign(String target, Object value, Context scope) {
        String names =
                target.startsWith("(") && target.endsWith(")") ? target.substring(1, target.length() - 1) : target;
        if (names.indexOf(',') >= 0) {
            List<String> parts = Source.split(names, ",", 0);
            List<Object> values = Python.elements(value);
            if (parts.size() != values.size()) {
                throw new InterpretException(
                        "%d values for the %d names '%s'".formatted(values.size(), parts.size(), names));
            }
            for (int i = 0; i < parts.size(); i++) {
                assign(parts.get(i), values.get(i), scope);
            }
            return;
        }
        int dot = names.indexOf('.');
        if (dot > 0 && Expression.name(names.substring(0, dot).strip()) instanceof Namespace namespace) {
            namespace.values().put(names.substring(dot + 1).strip(), value);
        } else if (NAME.matcher(names.strip()).matches()) {
            scope.put(names.strip(), value);
        } else {
            throw new InterpretException("cannot assign to '%s'".formatted(target));
        }
    }
}
