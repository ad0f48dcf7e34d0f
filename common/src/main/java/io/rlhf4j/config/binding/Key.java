package io.rlhf4j.config.binding;

import io.rlhf4j.config.Doc;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A key of a section: a component of its record.
 *
 * @param name the key in a file
 * @param type the type of its values
 * @param doc its meaning, preset and range
 * @param component the component itself
 */
record Key(String name, Type type, Doc doc, RecordComponent component) {
    /** The keys of a section, in order. */
    static List<Key> of(Class<?> section) {
        return Arrays.stream(section.getRecordComponents()).map(Key::of).toList();
    }

    private static Key of(RecordComponent component) {
        Doc doc = component.getAnnotation(Doc.class);
        if (doc == null) {
            throw new IllegalStateException(
                    component.getDeclaringRecord().getSimpleName() + "." + component.getName() + " has no @Doc");
        }
        return new Key(inFile(component.getName()), component.getGenericType(), doc, component);
    }

    /** {@code maxPromptTokens} as {@code max_prompt_tokens}; also for enum constants. */
    static String inFile(String javaName) {
        return javaName.replaceAll("([a-z0-9])([A-Z])", "$1_$2").toLowerCase(Locale.ROOT);
    }

    boolean required() {
        return doc.preset().equals(Doc.REQUIRED);
    }

    Optional<String> preset() {
        return required() || doc.preset().equals(Doc.PARTS) ? Optional.empty() : Optional.of(doc.preset());
    }

    /** The class of the values; for an optional or a list that container. */
    Class<?> rawType() {
        return raw(type);
    }

    static Class<?> raw(Type type) {
        return (Class<?>) (type instanceof ParameterizedType parameterized ? parameterized.getRawType() : type);
    }

    /** What an optional, a list or a map holds; the last type argument. */
    static Type content(Type type) {
        Type[] arguments = ((ParameterizedType) type).getActualTypeArguments();
        return arguments[arguments.length - 1];
    }
}
