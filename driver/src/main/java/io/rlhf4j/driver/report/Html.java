package io.rlhf4j.driver.report;

import java.util.List;
import org.apache.commons.text.StringEscapeUtils;

/** Builds HTML that is well-formed XML too, and in which every text from outside is escaped. */
final class Html {
    private final StringBuilder out = new StringBuilder();

    /** What a text looks like in HTML, in an attribute too. */
    static String escaped(String text) {
        return StringEscapeUtils.escapeXml10(text);
    }

    /** Markup of our own, as it is. */
    Html raw(String markup) {
        out.append(markup).append('\n');
        return this;
    }

    /** An element with a text in it. */
    Html element(String name, String text) {
        return raw("<%s>%s</%s>".formatted(name, escaped(text), name));
    }

    /** A table: a row of headings, then the rows. */
    Html table(List<String> headings, List<List<String>> rows) {
        raw("<table>");
        row("th", headings);
        rows.forEach(row -> row("td", row));
        return raw("</table>");
    }

    private void row(String cell, List<String> texts) {
        out.append("<tr>");
        texts.forEach(text -> out.append("<%s>%s</%s>".formatted(cell, escaped(text), cell)));
        out.append("</tr>\n");
    }

    @Override
    public String toString() {
        return out.toString();
    }
}
