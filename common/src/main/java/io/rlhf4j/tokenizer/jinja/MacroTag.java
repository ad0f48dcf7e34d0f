package io.rlhf4j.tokenizer.jinja;

import com.hubspot.jinjava.interpret.Context;
import com.hubspot.jinjava.interpret.InterpretException;
import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.lib.tag.Tag;
import com.hubspot.jinjava.tree.TagNode;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code macro name(parameter, parameter=value)}: a function whose result is the text of the block. */
final class MacroTag implements Tag {
    private static final long serialVersionUID = 1L;
    private static final Pattern SIGNATURE = Pattern.compile("\\s*(\\w+)\\s*\\((.*)\\)\\s*", Pattern.DOTALL);

    @Override
    public String getName() {
        return "macro";
    }

    @Override
    public String interpret(TagNode tag, JinjavaInterpreter interpreter) {
        Matcher signature = SIGNATURE.matcher(tag.getHelpers());
        if (!signature.matches()) {
            throw new InterpretException("'macro %s' is not supported in chat templates".formatted(tag.getHelpers()));
        }
        Map<String, String> parameters = new LinkedHashMap<>();
        if (!signature.group(2).isBlank()) {
            for (String parameter : Source.split(signature.group(2), ",", 0)) {
                List<String> parts = Source.split(parameter, "=", 2);
                parameters.put(parts.get(0), parts.size() > 1 ? parts.get(1) : null);
            }
        }
        parameters.remove("");
        Context home = interpreter.getContext();
        String name = signature.group(1);
        home.put(name, (Callable) (given, named) -> call(new Macro(name, parameters, tag, home), given, named));
        return "";
    }

    private static String call(Macro macro, List<Object> given, Map<String, Object> named) {
        List<String> names = List.copyOf(macro.parameters().keySet());
        if (given.size() > names.size() || !names.containsAll(named.keySet())) {
            throw new InterpretException("macro '%s' takes the arguments %s, not %d and %s"
                    .formatted(macro.name(), names, given.size(), named.keySet()));
        }
        JinjavaInterpreter interpreter = JinjavaInterpreter.getCurrent();
        Set<String> hidden = namesBetween(interpreter.getContext(), macro.home());
        try (JinjavaInterpreter.InterpreterScopeClosable scope = interpreter.enterScope()) {
            Context context = interpreter.getContext();
            for (String name : hidden) {
                Object value = macro.home().get(name);
                context.put(name, value == null ? Absent.UNDEFINED : value);
            }
            context.put("loop", Absent.UNDEFINED);
            for (int i = 0; i < names.size(); i++) {
                String name = names.get(i);
                String otherwise = macro.parameters().get(name);
                context.put(
                        name,
                        i < given.size()
                                ? given.get(i)
                                : named.containsKey(name)
                                        ? named.get(name)
                                        : otherwise == null
                                                ? Absent.UNDEFINED
                                                : Expression.evaluate(otherwise, interpreter));
            }
            return Scopes.render(macro.tag().getChildren(), interpreter);
        }
    }

    /** What the caller's blocks have named: a macro sees the names of the place where it stands, not of its callers. */
    private static Set<String> namesBetween(Context caller, Context home) {
        Set<String> names = new HashSet<>();
        for (Context scope = caller; scope != null && scope != home; scope = scope.getParent()) {
            names.addAll(scope.getScope().keySet());
        }
        return names;
    }

    /** A macro and the scope where it stands; a parameter without a value of its own has null. */
    private record Macro(String name, Map<String, String> parameters, TagNode tag, Context home) {}
}
