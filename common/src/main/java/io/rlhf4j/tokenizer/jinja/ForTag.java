package io.rlhf4j.tokenizer.jinja;

import com.hubspot.jinjava.interpret.InterpretException;
import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.lib.tag.Tag;
import com.hubspot.jinjava.tree.Node;
import com.hubspot.jinjava.tree.TagNode;
import java.util.ArrayList;
import java.util.List;

/** {@code for target in elements if condition}, with {@code else} where there is no element. */
final class ForTag implements Tag {
    private static final long serialVersionUID = 1L;

    @Override
    public String getName() {
        return "for";
    }

    @Override
    public String interpret(TagNode tag, JinjavaInterpreter interpreter) {
        List<String> parts = Source.split(tag.getHelpers(), "\\bin\\b", 2);
        if (parts.size() < 2 || tag.getHelpers().strip().endsWith(" recursive")) {
            throw new InterpretException("'for %s' is not supported in chat templates".formatted(tag.getHelpers()));
        }
        List<String> source = Source.split(parts.get(1), "\\bif\\b", 2);
        List<Object> elements = Python.elements(Expression.evaluate("(" + source.get(0) + ")", interpreter));
        if (source.size() > 1) {
            elements = kept(elements, parts.get(0), source.get(1), interpreter);
        }
        List<Node> body = new ArrayList<>();
        List<Node> otherwise = new ArrayList<>();
        boolean behind = false;
        for (Node child : tag.getChildren()) {
            if (child instanceof TagNode inner && inner.getName().equals("else")) {
                behind = true;
            } else {
                (behind ? otherwise : body).add(child);
            }
        }
        return elements.isEmpty()
                ? Scopes.render(otherwise, interpreter)
                : passes(elements, parts.get(0), body, interpreter);
    }

    private static List<Object> kept(
            List<Object> elements, String target, String condition, JinjavaInterpreter interpreter) {
        List<Object> kept = new ArrayList<>();
        for (Object element : elements) {
            try (JinjavaInterpreter.InterpreterScopeClosable scope = interpreter.enterScope()) {
                Scopes.assign(target, element, interpreter.getContext());
                if (Python.truth(Expression.evaluate(condition, interpreter))) {
                    kept.add(element);
                }
            }
        }
        return kept;
    }

    private static String passes(
            List<Object> elements, String target, List<Node> body, JinjavaInterpreter interpreter) {
        Loop loop = new Loop(elements, Expression.name("loop") instanceof Loop outer ? outer.depth() + 1 : 0);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < elements.size() && !loop.ended(); i++) {
            loop.enter(i);
            // A scope for every pass: what a pass sets, the next one does not see.
            try (JinjavaInterpreter.InterpreterScopeClosable scope = interpreter.enterScope()) {
                interpreter.getContext().put("loop", loop);
                Scopes.assign(target, elements.get(i), interpreter.getContext());
                text.append(Scopes.render(body, interpreter));
            }
        }
        return text.toString();
    }
}
