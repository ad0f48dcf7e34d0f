package io.rlhf4j.tokenizer.jinja;

import com.hubspot.jinjava.interpret.InterpretException;
import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.interpret.TemplateError;
import java.util.function.Supplier;
import jinjava.de.odysseus.el.tree.Bindings;
import jinjava.de.odysseus.el.tree.Node;
import jinjava.de.odysseus.el.tree.impl.ast.AstRightValue;
import jinjava.javax.el.ELContext;
import jinjava.javax.el.ELException;

/** A parsed expression: every call works it out anew from the names of the current scope. */
final class Expression extends AstRightValue {
    private final Supplier<Object> value;

    Expression(Supplier<Object> value) {
        this.value = value;
    }

    /** The value of an expression's source. */
    static Object evaluate(String source, JinjavaInterpreter interpreter) {
        Object value = interpreter.resolveELExpression(source.strip(), interpreter.getLineNumber());
        if (value == null) {
            throw new InterpretException(reason(interpreter.getErrorsCopy().get(0)));
        }
        return value;
    }

    /** What a template says itself, where it refuses the conversation; else what the engine says. */
    static String reason(TemplateError error) {
        String reason = error.getMessage();
        for (Throwable cause = error.getException(); cause != null; cause = cause.getCause()) {
            reason = cause.getMessage() == null ? reason : cause.getMessage();
        }
        return reason;
    }

    /** The value of a name in the current scope. */
    static Object name(String name) {
        Object value = JinjavaInterpreter.getCurrent().getContext().get(name);
        return value == null ? Absent.UNDEFINED : value;
    }

    @Override
    public Object eval(Bindings bindings, ELContext context) {
        try {
            return value.get();
        } catch (InterpretException refused) {
            // As it is, the engine would take its message for a format.
            throw new ELException(refused.getMessage(), refused);
        }
    }

    @Override
    public void appendStructure(StringBuilder structure, Bindings bindings) {
        structure.append(value);
    }

    @Override
    public int getCardinality() {
        return 0;
    }

    @Override
    public Node getChild(int index) {
        return null;
    }
}
