package io.rlhf4j.config.binding;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.rlhf4j.config.Kind;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Writes sections as YAML that {@link Binder} reads back. */
public final class ConfigWriter {
    private static final YAMLMapper YAML = new YAMLMapper(YAMLFactory.builder()
            .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
            .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
            .enable(YAMLGenerator.Feature.INDENT_ARRAYS_WITH_INDICATOR)
            .build());

    private ConfigWriter() {}

    /** All keys of the section with their values; optional ones that are absent are left out. */
    public static String write(Record section) {
        try {
            return YAML.writeValueAsString(tree(section));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a configuration cannot be written", e);
        }
    }

    /** The section as maps, lists, numbers, booleans and texts. */
    public static Map<String, Object> tree(Record section) {
        Map<String, Object> tree = new LinkedHashMap<>();
        Kind kind = section.getClass().getAnnotation(Kind.class);
        if (kind != null) {
            tree.put("kind", kind.value());
        }
        for (Key key : Key.of(section.getClass())) {
            Object value = plain(read(key, section));
            if (value != null) {
                tree.put(key.name(), value);
            }
        }
        return tree;
    }

    private static Object read(Key key, Record section) {
        try {
            return key.component().getAccessor().invoke(section);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(key.name() + " cannot be read", e);
        }
    }

    private static Object plain(Object value) {
        if (value instanceof Record section) {
            return tree(section);
        }
        if (value instanceof Optional<?> optional) {
            return optional.map(ConfigWriter::plain).orElse(null);
        }
        if (value instanceof List<?> list) {
            return list.stream().map(ConfigWriter::plain).toList();
        }
        if (value instanceof Number || value instanceof Boolean || value instanceof Map) {
            return value;
        }
        return Scalars.write(value);
    }
}
