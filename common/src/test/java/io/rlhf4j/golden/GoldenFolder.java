package io.rlhf4j.golden;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * The reference fixtures: {@code models/}, {@code tokenizers/}, {@code chat/} and {@code algorithms/} under one root, which
 * is this project's own test resources, or the folder that {@code -Drlhf4j.golden=DIR} names. Tests list it and name no case.
 */
public final class GoldenFolder {
    private static final ObjectMapper JSON = new ObjectMapper();

    private GoldenFolder() {}

    /** The root of all fixtures. */
    public static Path root() {
        String chosen = System.getProperty("rlhf4j.golden", "");
        if (!chosen.isBlank()) {
            return Path.of(chosen);
        }
        try {
            return Path.of(Objects.requireNonNull(GoldenFolder.class.getResource("/golden"))
                    .toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Everything in {@code root()/kind}, by name: folders, or files for "algorithms". */
    public static List<Path> cases(String kind) {
        Path folder = root().resolve(kind);
        try (Stream<Path> entries = Files.list(folder)) {
            List<Path> cases = entries.sorted().toList();
            if (cases.isEmpty()) {
                throw new IllegalStateException("no cases in " + folder);
            }
            return cases;
        } catch (IOException e) {
            throw new IllegalStateException("cannot list " + folder, e);
        }
    }

    /** A JSON file. */
    public static JsonNode json(Path file) {
        try {
            return JSON.readTree(file.toFile());
        } catch (IOException e) {
            throw new IllegalStateException("cannot read " + file, e);
        }
    }

    /** A file of one JSON value a line. */
    public static List<JsonNode> jsonLines(Path file) {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.filter(line -> !line.isBlank())
                    .map(GoldenFolder::parse)
                    .toList();
        } catch (IOException e) {
            throw new IllegalStateException("cannot read " + file, e);
        }
    }

    private static JsonNode parse(String line) {
        try {
            return JSON.readTree(line);
        } catch (IOException e) {
            throw new IllegalStateException("no JSON: " + line, e);
        }
    }
}
