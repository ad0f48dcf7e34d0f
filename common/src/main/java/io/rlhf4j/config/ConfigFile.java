package io.rlhf4j.config;

import io.rlhf4j.config.binding.Binder;
import io.rlhf4j.config.binding.ConfigWriter;
import io.rlhf4j.config.yaml.Location;
import io.rlhf4j.config.yaml.Node.Entry;
import io.rlhf4j.config.yaml.Node.Mapping;
import io.rlhf4j.config.yaml.Node.Scalar;
import io.rlhf4j.config.yaml.Setting;
import io.rlhf4j.config.yaml.YamlReader;
import io.rlhf4j.error.Rlhf4jException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Reads and writes configurations. */
public final class ConfigFile {
    private ConfigFile() {}

    /**
     * Reads a run's configuration.
     *
     * @param path YAML file on any Hadoop file system
     * @param overrides {@code key.of.the.value=value} each, later ones win
     * @throws Rlhf4jException of kind CONFIGURATION that names file, line, column and key
     */
    public static RunConfig load(Path path, Configuration hadoop, List<String> overrides) {
        return read(text(path, hadoop), path.toString(), overrides);
    }

    /**
     * Reads a run's configuration from its text.
     *
     * @param source the name of the text in messages
     */
    public static RunConfig read(String yaml, String source, List<String> overrides) {
        Mapping given = overridden(YamlReader.readSection(yaml, source), overrides);
        return Binder.bind(RunConfig.class, profile(given).under(given));
    }

    /** Reads one section from YAML text, such as {@code "learning_rate: 0.1"}; whatever it leaves out has its preset. */
    public static <T> T parse(Class<T> section, String yaml, String... overrides) {
        Mapping given = YamlReader.readSection(yaml, section.getSimpleName());
        return Binder.bind(section, overridden(given, List.of(overrides)));
    }

    /** The whole of a section as YAML that {@link #parse} reads back. */
    public static String write(Record section) {
        return ConfigWriter.write(section);
    }

    private static Mapping overridden(Mapping section, List<String> overrides) {
        Mapping changed = section;
        for (String override : overrides) {
            changed = Setting.parse(override).applyTo(changed);
        }
        return changed;
    }

    /** What the chosen recipe says. A name that is no recipe is left to the binder, which knows how to refuse it. */
    private static Mapping profile(Mapping given) {
        Entry profile = given.entries().get("profile");
        String name = profile != null && profile.value() instanceof Scalar scalar ? scalar.text() : "paper";
        String resource = "profiles/" + name + ".yaml";
        try (InputStream stream = name.matches("[a-z]+")
                ? ConfigFile.class.getResourceAsStream(resource)
                : InputStream.nullInputStream()) {
            return stream == null
                    ? Mapping.empty(Location.of(resource))
                    : YamlReader.readSection(new String(stream.readAllBytes(), StandardCharsets.UTF_8), resource);
        } catch (IOException e) {
            throw new UncheckedIOException("the profile " + name + " cannot be read", e);
        }
    }

    /** By a connection of its own: the one that Hadoop keeps is to be made with what the configuration says of it. */
    private static String text(Path path, Configuration hadoop) {
        try (FileSystem system = FileSystem.newInstance(path.toUri(), hadoop);
                FSDataInputStream stream = system.open(path)) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (FileNotFoundException e) {
            throw Rlhf4jException.configuration(
                    "%s: there is no such configuration file; give its path with --config".formatted(path));
        } catch (IOException e) {
            throw Rlhf4jException.configuration("%s: cannot be read: %s".formatted(path, e.getMessage()));
        }
    }
}
