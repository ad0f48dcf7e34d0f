package io.rlhf4j.tokenizer;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Writes a template of Jinja so that Jinjava, which reads some of its syntax otherwise, gives it the same meaning. */
final class JinjaSyntax {
    /** Blanks between the beginning of a line and a block: Jinjava's own lstrip_blocks also takes those behind text. */
    private static final Pattern INDENT = Pattern.compile("(?m)^[ \\t]+(?=\\{[%#](?!\\+))");

    /** From the last to the first. */
    private static final Pattern REVERSED = Pattern.compile("\\[\\s*::\\s*-1\\s*]");

    private static final Pattern NAMESPACE = Pattern.compile("\\bnamespace\\(");
    private static final Pattern ARGUMENT = Pattern.compile("\\s*(\\w+)\\s*=(?!=)");

    private JinjaSyntax() {}

    /** The template as Jinjava has to be given it. */
    static String forJinjava(String template) {
        // A template's own last line break is not part of the text.
        String text = template.endsWith("\n") ? template.substring(0, template.length() - 1) : template;
        text = INDENT.matcher(text).replaceAll("");
        return withWholeArguments(REVERSED.matcher(text).replaceAll("|reverse|list"));
    }

    /** In {@code namespace(a=b - 1)} Jinjava takes {@code a=b} for the left side of the difference: parentheses help. */
    private static String withWholeArguments(String template) {
        StringBuilder text = new StringBuilder();
        Matcher call = NAMESPACE.matcher(template);
        int done = 0;
        while (call.find()) {
            text.append(template, done, call.end());
            done = call.end();
            while (done < template.length() && template.charAt(done) != ')') {
                int end = endOfArgument(template, done);
                text.append(whole(template.substring(done, end)));
                done = end;
                if (done < template.length() && template.charAt(done) == ',') {
                    text.append(',');
                    done++;
                }
            }
        }
        return text.append(template, done, template.length()).toString();
    }

    private static String whole(String argument) {
        Matcher named = ARGUMENT.matcher(argument);
        return named.lookingAt() ? "%s=(%s)".formatted(named.group(1), argument.substring(named.end())) : argument;
    }

    /** Where the comma or the parenthesis stands that ends the argument which begins at {@code from}. */
    private static int endOfArgument(String template, int from) {
        int depth = 0;
        char quote = 0;
        for (int i = from; i < template.length(); i++) {
            char c = template.charAt(i);
            if (quote != 0) {
                quote = c == quote ? 0 : quote;
            } else if (c == '\'' || c == '"') {
                quote = c;
            } else if ("([{".indexOf(c) >= 0) {
                depth++;
            } else if (depth == 0 && (c == ',' || c == ')')) {
                return i;
            } else if (")]}".indexOf(c) >= 0) {
                depth--;
            }
        }
        return template.length();
    }
}
