package io.rlhf4j.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.hubspot.jinjava.Jinjava;
import com.hubspot.jinjava.JinjavaConfig;
import com.hubspot.jinjava.LegacyOverrides;
import com.hubspot.jinjava.el.JinjavaInterpreterResolver;
import com.hubspot.jinjava.interpret.InterpretException;
import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.lib.filter.Filter;
import com.hubspot.jinjava.lib.fn.ELFunctionDefinition;
import com.hubspot.jinjava.lib.tag.Tag;
import com.hubspot.jinjava.tree.Node;
import com.hubspot.jinjava.tree.TagNode;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;
import jinjava.javax.el.CompositeELResolver;
import jinjava.javax.el.ELResolver;

/** What transformers gives chat templates beside Jinja itself. */
public final class ChatFunctions {
    private static final ObjectMapper JSON = new ObjectMapper();

    private ChatFunctions() {}

    /** A Jinja engine with transformers' settings and additions. */
    static Jinjava engine() {
        Jinjava engine = new Jinjava(JinjavaConfig.newBuilder()
                .withTrimBlocks(true)
                .withElResolver(resolver())
                // Else braces inside a message are run as a template of their own.
                .withNestedInterpretationEnabled(false)
                .withEnableRecursiveMacroCalls(true)
                .withLegacyOverrides(LegacyOverrides.newBuilder()
                        .withUsePyishObjectMapper(true)
                        // Else {{- and {#- leave what stands before them, and -}} what stands behind.
                        .withUseTrimmingForNotesAndExpressions(true)
                        .build())
                .build());
        engine.getGlobalContext()
                .registerFunction(new ELFunctionDefinition(
                        "", "raise_exception", ChatFunctions.class, "raiseException", String.class));
        engine.getGlobalContext()
                .registerFunction(
                        new ELFunctionDefinition("", "strftime_now", ChatFunctions.class, "strftimeNow", String.class));
        engine.getGlobalContext().registerFilter(new ToJson());
        engine.getGlobalContext().registerTag(new Generation());
        return engine;
    }

    private static ELResolver resolver() {
        CompositeELResolver resolver = new CompositeELResolver();
        resolver.add(new PythonStrings());
        resolver.add(JinjavaInterpreterResolver.DEFAULT_RESOLVER_READ_ONLY);
        return resolver;
    }

    /** Called by templates: refuses the conversation. */
    public static String raiseException(String message) {
        throw new InterpretException(message);
    }

    /** Called by templates: the date of today, by the few directives of strftime that templates use. */
    public static String strftimeNow(String format) {
        String pattern = format.replace("%d", "dd")
                .replace("%b", "MMM")
                .replace("%B", "MMMM")
                .replace("%Y", "yyyy")
                .replace("%m", "MM")
                .replace("%H", "HH")
                .replace("%M", "mm")
                .replace("%S", "ss");
        return DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(LocalDateTime.now());
    }

    /** Marks what the assistant said, for masks; the text itself stays as it is. */
    private static final class Generation implements Tag {
        private static final long serialVersionUID = 1L;

        @Override
        public String getName() {
            return "generation";
        }

        @Override
        public String getEndTagName() {
            return "endgeneration";
        }

        @Override
        public String interpret(TagNode tag, JinjavaInterpreter interpreter) {
            StringBuilder text = new StringBuilder();
            for (Node child : tag.getChildren()) {
                text.append(child.render(interpreter).getValue());
            }
            return text.toString();
        }
    }

    /** Python's json.dumps with ensure_ascii off: a space after commas and colons, nothing escaped for HTML. */
    private static final class ToJson implements Filter {
        @Override
        public String getName() {
            return "tojson";
        }

        @Override
        public Object filter(Object value, JinjavaInterpreter interpreter, String... arguments) {
            return write(value);
        }

        private static String write(Object value) {
            if (value instanceof Map<?, ?> map) {
                StringJoiner entries = new StringJoiner(", ", "{", "}");
                map.forEach((key, part) -> entries.add(write(String.valueOf(key)) + ": " + write(part)));
                return entries.toString();
            }
            if (value instanceof List<?> list) {
                StringJoiner elements = new StringJoiner(", ", "[", "]");
                list.forEach(element -> elements.add(write(element)));
                return elements.toString();
            }
            try {
                return JSON.writeValueAsString(value);
            } catch (JsonProcessingException impossible) {
                throw new IllegalArgumentException("a template writes a value that JSON cannot hold", impossible);
            }
        }
    }
}
