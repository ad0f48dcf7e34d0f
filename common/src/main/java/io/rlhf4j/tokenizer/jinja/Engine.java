package io.rlhf4j.tokenizer.jinja;

import com.hubspot.jinjava.Jinjava;
import com.hubspot.jinjava.JinjavaConfig;
import com.hubspot.jinjava.LegacyOverrides;
import com.hubspot.jinjava.interpret.Context;
import com.hubspot.jinjava.interpret.Context.Library;
import com.hubspot.jinjava.interpret.InterpreterFactory;
import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.interpret.RenderResult;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import jinjava.de.odysseus.el.ExpressionFactoryImpl;
import jinjava.de.odysseus.el.tree.TreeStore;
import jinjava.de.odysseus.el.tree.impl.Builder;
import jinjava.de.odysseus.el.tree.impl.Cache;
import jinjava.de.odysseus.el.tree.impl.Parser;
import jinjava.javax.el.ExpressionFactory;

/** Renders templates as transformers does: trim_blocks, lstrip_blocks, loop controls, and its functions. */
public final class Engine {
    private static final int CACHED_EXPRESSIONS = 10_000;
    private static final int NESTED_BLOCKS = 1_000;
    private static final Set<String> OTHER_TAGS = Set.of(
            "autoescape",
            "block",
            "call",
            "cycle",
            "do",
            "extends",
            "from",
            "ifchanged",
            "import",
            "include",
            "print",
            "raw",
            "unless");

    private static final Jinjava JINJAVA = jinjava();

    private Engine() {}

    /**
     * The text of a template.
     *
     * @param names what the template may use; values as JSON holds them
     * @throws TemplateException where the template refuses, or uses what is not supported
     */
    public static String render(String template, Map<String, ?> names) throws TemplateException {
        Map<String, Object> values = new HashMap<>(Functions.ALL);
        names.forEach((name, value) -> values.put(name, Python.of(value)));
        RenderResult result = result(Source.stripped(template), values);
        if (result.hasErrors()) {
            throw new TemplateException(Expression.reason(result.getErrors().get(0)));
        }
        return result.getOutput();
    }

    private static RenderResult result(String source, Map<String, Object> values) throws TemplateException {
        try {
            return JINJAVA.renderForResult(source, values);
        } catch (StackOverflowError endless) {
            throw new TemplateException("the template's macros call each other without end");
        }
    }

    private static Jinjava jinjava() {
        Jinjava jinjava = new Expressions(JinjavaConfig.newBuilder()
                .withTrimBlocks(true)
                .withDisabled(Map.of(Library.TAG, OTHER_TAGS))
                .withInterperterFactory(new Interpreters())
                .withMaxRenderDepth(NESTED_BLOCKS)
                // Else braces inside a message are run as a template of their own.
                .withNestedInterpretationEnabled(false)
                .withLegacyOverrides(LegacyOverrides.newBuilder()
                        // Else {{- and {#- leave what stands before them, and -}} what stands behind.
                        .withUseTrimmingForNotesAndExpressions(true)
                        // Else the sign of {{ -n }} and the line of {# --- #} are taken for trimming.
                        .withParseWhitespaceControlStrictly(true)
                        .build())
                .build());
        jinjava.registerTag(new ForTag());
        jinjava.registerTag(new IfTag());
        jinjava.registerTag(new SetTag());
        jinjava.registerTag(new MacroTag());
        jinjava.registerTag(new SimpleTags.Jump("break", true));
        jinjava.registerTag(new SimpleTags.Jump("continue", false));
        jinjava.registerTag(new SimpleTags.Branch("else"));
        jinjava.registerTag(new SimpleTags.Branch("elif"));
        jinjava.registerTag(new SimpleTags.Generation());
        return jinjava;
    }

    /** Reads expressions with Jinja's grammar. */
    private static final class Expressions extends Jinjava {
        private final ExpressionFactory factory =
                new ExpressionFactoryImpl(new TreeStore(new Grammar(), new Cache(CACHED_EXPRESSIONS)));

        private Expressions(JinjavaConfig config) {
            super(config);
        }

        @Override
        public ExpressionFactory getExpressionFactory() {
            return factory;
        }
    }

    private static final class Grammar extends Builder {
        private static final long serialVersionUID = 1L;

        @Override
        protected Parser createParser(String expression) {
            return new ExpressionParser(this, expression);
        }
    }

    /** Writes values as Python does. */
    private static final class Interpreters implements InterpreterFactory {
        @Override
        public JinjavaInterpreter newInstance(JinjavaInterpreter original) {
            return new Writing(original);
        }

        @Override
        public JinjavaInterpreter newInstance(Jinjava application, Context context, JinjavaConfig config) {
            return new Writing(application, context, config);
        }
    }

    private static final class Writing extends JinjavaInterpreter {
        private Writing(JinjavaInterpreter original) {
            super(original);
        }

        private Writing(Jinjava application, Context context, JinjavaConfig config) {
            super(application, context, config);
        }

        @Override
        public String getAsString(Object value) {
            return value == null ? "" : Python.text(value);
        }
    }
}
