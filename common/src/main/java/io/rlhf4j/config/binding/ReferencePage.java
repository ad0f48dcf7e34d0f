package io.rlhf4j.config.binding;

import io.rlhf4j.config.Doc;
import io.rlhf4j.config.Kind;
import io.rlhf4j.config.RunConfig;
import java.lang.reflect.Type;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The page that explains every key, written from the records themselves. */
public final class ReferencePage {
    private final StringBuilder page = new StringBuilder();

    private ReferencePage() {}

    /** The page as Markdown. */
    public static String markdown() {
        ReferencePage reference = new ReferencePage();
        reference
                .page
                .append("# Configuration\n\n")
                .append(
                        "Written from the records of `io.rlhf4j.config`; a test holds this page and the records equal.\n\n")
                .append("A configuration is a YAML file. Every key below may be left out unless it is *required*. Keys")
                .append(
                        " that do not exist, values of another type and values out of range are refused with file, line")
                .append(
                        " and column. `--set key.of.the.value=VALUE` on the command line stands above the file; VALUE is")
                .append(
                        " YAML, a number in the key addresses an item of a list (`data.sources.0.path`), one behind the")
                .append(
                        " last appends. A hyphen in a key is read as an underscore. The whole configuration of a run is")
                .append(" kept in `config.yaml` of its folder.\n\n")
                .append(
                        "Durations have a unit: `500ms`, `30s`, `5m`, `2h`, `1d`. `[0, 1)` is the range from 0 up to and")
                .append(" without 1.\n");
        reference.section("The file", "", RunConfig.class);
        return reference.page.toString();
    }

    private void section(String title, String path, Class<?> type) {
        page.append("\n## ").append(title).append("\n\n");
        table(path, type);
        for (Key key : Key.of(type)) {
            Class<?> below = key.rawType().equals(List.class) ? Key.raw(Key.content(key.type())) : key.rawType();
            String suffix = key.rawType().equals(List.class) ? "[]" : "";
            if (below.isRecord()) {
                section("`" + path + key.name() + suffix + "`", path + key.name() + suffix + ".", below);
            } else if (below.isSealed()) {
                for (Class<?> choice : below.getPermittedSubclasses()) {
                    String kind = choice.getAnnotation(Kind.class).value();
                    section(
                            "`%s%s%s` with `kind: %s`".formatted(path, key.name(), suffix, kind),
                            path + key.name() + suffix + ".",
                            choice);
                }
            }
        }
    }

    private void table(String path, Class<?> type) {
        page.append("| key | values | preset | meaning |\n|---|---|---|---|\n");
        for (Key key : Key.of(type)) {
            page.append("| `%s%s` | %s | %s | %s |\n"
                    .formatted(
                            path,
                            key.name(),
                            values(key),
                            preset(key),
                            escape(key.doc().value())));
        }
    }

    private static String values(Key key) {
        String range = key.doc().range().isEmpty() ? "" : " in " + key.doc().range();
        return escape(describe(key.type()) + range);
    }

    private static String describe(Type type) {
        Class<?> raw = Key.raw(type);
        if (raw == Optional.class) {
            return describe(Key.content(type));
        }
        if (raw == List.class) {
            return "list of " + describe(Key.content(type));
        }
        if (raw == Map.class) {
            return "names with texts";
        }
        return raw.isRecord() || raw.isSealed() ? "section" : Scalars.describe(raw);
    }

    private static String preset(Key key) {
        if (key.required()) {
            return "*required*";
        }
        if (key.doc().preset().equals(Doc.PARTS)) {
            boolean section = key.rawType().isRecord();
            return section ? "" : key.rawType().equals(Optional.class) ? "*absent*" : "*empty*";
        }
        return "`" + escape(key.doc().preset()) + "`";
    }

    private static String escape(String text) {
        return text.replace("|", "\\|");
    }
}
