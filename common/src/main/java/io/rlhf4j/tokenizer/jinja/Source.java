package io.rlhf4j.tokenizer.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A template's source, cut where a word or sign is outside of quotes. */
final class Source {
    private Source() {}

    /** The template without what trim_blocks, lstrip_blocks and comments take away: Jinjava takes more, or less. */
    static String stripped(String template) throws TemplateException {
        // A template's own last line break is not part of the text.
        String source = template.endsWith("\n") ? template.substring(0, template.length() - 1) : template;
        StringBuilder written = new StringBuilder();
        int done = 0;
        while (done < source.length()) {
            int begin = nextTag(source, done);
            int end = endOfTag(source, begin);
            if (end < 0) {
                String line = source.substring(begin).lines().findFirst().orElse("");
                throw new TemplateException("a tag is not closed: '%s'".formatted(line));
            }
            String tag = source.substring(begin, end);
            String text = source.substring(done, begin);
            boolean comment = tag.startsWith("{#");
            if (tag.startsWith("{#-")) {
                text = text.stripTrailing();
            } else if ((comment || tag.startsWith("{%")) && !tag.startsWith("+", 2)) {
                text = withoutIndent(text, done == 0 || source.charAt(done - 1) == '\n');
            }
            // An empty expression stands for a comment, so that the signs of the tags around it take no more than
            // theirs.
            written.append(text).append(comment ? "{{ '' }}" : tag);
            done = end;
            if (comment) {
                done = behindComment(source, end);
            }
        }
        return written.toString();
    }

    /** The text without the blanks behind its last line break. */
    private static String withoutIndent(String text, boolean beginsLine) {
        int kept = text.length();
        while (kept > 0 && (text.charAt(kept - 1) == ' ' || text.charAt(kept - 1) == '\t')) {
            kept--;
        }
        return kept == 0 ? beginsLine ? "" : text : text.charAt(kept - 1) == '\n' ? text.substring(0, kept) : text;
    }

    private static int behindComment(String source, int end) {
        int behind = end;
        if (source.startsWith("-#}", end - 3)) {
            while (behind < source.length() && Character.isWhitespace(source.charAt(behind))) {
                behind++;
            }
            return behind;
        }
        return source.startsWith("\n", end) && !source.startsWith("+#}", end - 3) ? end + 1 : end;
    }

    private static int nextTag(String source, int from) {
        for (int i = from; i + 1 < source.length(); i++) {
            if (source.charAt(i) == '{' && "{%#".indexOf(source.charAt(i + 1)) >= 0) {
                return i;
            }
        }
        return source.length();
    }

    /** Where the tag ends that begins at that place; -1 where it does not. */
    private static int endOfTag(String source, int begin) {
        if (begin == source.length()) {
            return begin;
        }
        char kind = source.charAt(begin + 1);
        String end = kind == '{' ? "}}" : kind + "}";
        int depth = 0;
        for (int i = begin + 2; i < source.length(); i++) {
            char c = source.charAt(i);
            if (depth == 0 && source.startsWith(end, i)) {
                return i + 2;
            }
            if (kind != '#') {
                i = endOfQuote(source, i);
                depth += c == '{' ? 1 : c == '}' && depth > 0 ? -1 : 0;
            }
        }
        return -1;
    }

    /** Where the quote ends that begins at that place; the place itself where none does. */
    private static int endOfQuote(String text, int from) {
        char quote = text.charAt(from);
        if (quote != '\'' && quote != '"') {
            return from;
        }
        int i = from + 1;
        while (i < text.length() && text.charAt(i) != quote) {
            i += text.charAt(i) == '\\' ? 2 : 1;
        }
        return Math.min(i, text.length() - 1);
    }

    /** The parts between the matches of a pattern outside of quotes and brackets: at most {@code limit}, 0 for all. */
    static List<String> split(String text, String separator, int limit) {
        Matcher matcher = Pattern.compile(separator).matcher(blanked(text));
        List<String> parts = new ArrayList<>();
        int from = 0;
        while ((limit == 0 || parts.size() + 1 < limit) && matcher.find()) {
            parts.add(text.substring(from, matcher.start()).strip());
            from = matcher.end();
        }
        parts.add(text.substring(from).strip());
        return parts;
    }

    /** The text, with a sign that nothing looks for in place of all that is quoted or in brackets. */
    private static String blanked(String text) {
        StringBuilder plain = new StringBuilder();
        int depth = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            int end = endOfQuote(text, i);
            if (end > i) {
                plain.append("#".repeat(end - i + 1));
                i = end;
                continue;
            }
            depth -= ")]}".indexOf(c) >= 0 ? 1 : 0;
            plain.append(depth > 0 ? '#' : c);
            depth += "([{".indexOf(c) >= 0 ? 1 : 0;
        }
        return plain.toString();
    }
}
