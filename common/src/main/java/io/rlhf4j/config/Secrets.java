package io.rlhf4j.config;

import io.rlhf4j.config.Checked.Finding;
import io.rlhf4j.error.Rlhf4jException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Values that are kept outside the configuration: {@code ${env:NAME}} stands for a variable of the environment, {@code
 * ${file:PATH}} for the content of a file. They are looked up where they are used, so that a written configuration, a
 * log or a manifest holds the reference and never the value.
 */
public final class Secrets {
    private static final Pattern REFERENCE = Pattern.compile("\\$\\{(env|file):([^}]+)}");
    private static final Pattern SECRET_KEY =
            Pattern.compile("(?i).*(secret|password|passwd|token|credential|access[._-]?key|api[._-]?key).*");

    private final Map<String, String> environment;

    /** Look-ups in {@code environment}, for instance {@link System#getenv()}. */
    public Secrets(Map<String, String> environment) {
        this.environment = Map.copyOf(environment);
    }

    /** Complaints about secrets that stand in the settings themselves; the values are not repeated. */
    static List<Finding> findings(String section, Map<String, String> settings) {
        return settings.entrySet().stream()
                .filter(setting -> looksSecret(setting.getKey()) && !isReference(setting.getValue()))
                .map(setting -> new Finding(
                        section,
                        "holds '%s' in the clear; keep the value outside and write ${env:NAME} or ${file:PATH}"
                                .formatted(setting.getKey())))
                .toList();
    }

    /** Whether the value of {@code key} is likely to be secret, going by the key's name. */
    public static boolean looksSecret(String key) {
        return SECRET_KEY.matcher(key).matches();
    }

    /** Whether {@code value} is nothing but a reference. */
    public static boolean isReference(String value) {
        return REFERENCE.matcher(value).matches();
    }

    /**
     * The settings with every reference replaced by what it stands for.
     *
     * @throws Rlhf4jException of kind CONFIGURATION where a variable is not set or a file cannot be read
     */
    public Map<String, String> resolve(Map<String, String> settings) {
        Map<String, String> resolved = new LinkedHashMap<>();
        settings.forEach((key, value) -> resolved.put(key, resolve(key, value)));
        return resolved;
    }

    private String resolve(String key, String value) {
        Matcher reference = REFERENCE.matcher(value);
        return reference.replaceAll(found -> Matcher.quoteReplacement(
                found.group(1).equals("env") ? variable(key, found.group(2)) : content(key, found.group(2))));
    }

    private String variable(String key, String name) {
        String value = environment.get(name);
        if (value == null) {
            throw Rlhf4jException.configuration(
                    "%s asks for the environment variable %s, which is not set; export it before the start"
                            .formatted(key, name));
        }
        return value;
    }

    private static String content(String key, String path) {
        try {
            return Files.readString(Path.of(path)).strip();
        } catch (IOException e) {
            throw Rlhf4jException.configuration("%s asks for the file %s, which cannot be read (%s)"
                    .formatted(key, path, e.getClass().getSimpleName()));
        }
    }
}
