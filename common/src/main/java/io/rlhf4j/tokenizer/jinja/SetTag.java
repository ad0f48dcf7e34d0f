package io.rlhf4j.tokenizer.jinja;

import com.hubspot.jinjava.interpret.InterpretException;
import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.lib.tag.FlexibleTag;
import com.hubspot.jinjava.lib.tag.Tag;
import com.hubspot.jinjava.tree.TagNode;
import com.hubspot.jinjava.tree.parse.TagToken;
import java.util.List;

/** {@code set target = value}, or {@code set target} with the text up to {@code endset}. */
final class SetTag implements Tag, FlexibleTag {
    private static final long serialVersionUID = 1L;

    @Override
    public String getName() {
        return "set";
    }

    @Override
    public boolean hasEndTag(TagToken token) {
        return parts(token.getHelpers()).size() == 1;
    }

    @Override
    public String interpret(TagNode tag, JinjavaInterpreter interpreter) {
        List<String> parts = parts(tag.getHelpers());
        if (parts.size() > 1) {
            Object value = Expression.evaluate("(" + parts.get(1) + ")", interpreter);
            Scopes.assign(parts.get(0), value, interpreter.getContext());
            return "";
        }
        if (parts.get(0).indexOf('|') >= 0) {
            throw new InterpretException(
                    "'set %s' with a filter is not supported in chat templates".formatted(parts.get(0)));
        }
        String text;
        try (JinjavaInterpreter.InterpreterScopeClosable scope = interpreter.enterScope()) {
            text = Scopes.render(tag.getChildren(), interpreter);
        }
        Scopes.assign(parts.get(0), text, interpreter.getContext());
        return "";
    }

    private static List<String> parts(String helpers) {
        return Source.split(helpers, "=", 2);
    }
}
