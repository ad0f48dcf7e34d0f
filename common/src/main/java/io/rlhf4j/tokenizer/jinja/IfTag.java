package io.rlhf4j.tokenizer.jinja;

import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.lib.tag.Tag;
import com.hubspot.jinjava.tree.Node;
import com.hubspot.jinjava.tree.TagNode;
import java.util.ArrayList;
import java.util.List;

/** {@code if}, {@code elif} and {@code else}, by Python's truth: Jinjava takes the text "false" for false. */
final class IfTag implements Tag {
    private static final long serialVersionUID = 1L;

    @Override
    public String getName() {
        return "if";
    }

    @Override
    public String interpret(TagNode tag, JinjavaInterpreter interpreter) {
        boolean chosen = holds(tag, interpreter);
        List<Node> body = new ArrayList<>();
        for (Node child : tag.getChildren()) {
            if (child instanceof TagNode branch
                    && (branch.getName().equals("elif") || branch.getName().equals("else"))) {
                if (chosen) {
                    break;
                }
                chosen = branch.getName().equals("else") || holds(branch, interpreter);
            } else if (chosen) {
                body.add(child);
            }
        }
        return Scopes.render(body, interpreter);
    }

    private static boolean holds(TagNode tag, JinjavaInterpreter interpreter) {
        return Python.truth(Expression.evaluate(tag.getHelpers(), interpreter));
    }
}
