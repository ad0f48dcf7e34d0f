package io.rlhf4j.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rlhf4j.format.PlainFiles;
import io.rlhf4j.format.WrittenFile;
import io.rlhf4j.model.family.HubConfig;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.StreamSupport;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** The files beside config.json and weights: tokenizer, chat template, generation settings. */
final class Companions {
    private static final List<String> TOKENIZER = List.of(
            "tokenizer.json",
            "tokenizer_config.json",
            "special_tokens_map.json",
            "added_tokens.json",
            "vocab.json",
            "merges.txt",
            "vocab.txt",
            "tokenizer.model",
            "chat_template.jinja",
            "chat_template.json");

    private static final String GENERATION = "generation_config.json";

    private final Configuration configuration;
    private final Path directory;

    Companions(Configuration configuration, Path directory) {
        this.configuration = configuration;
        this.directory = directory;
    }

    /** Copies those that are there. */
    List<WrittenFile> copyTo(Path target) throws IOException {
        List<WrittenFile> copied = new ArrayList<>(copy(TOKENIZER, target));
        copied.addAll(copy(List.of(GENERATION), target));
        return copied;
    }

    /** Copies those of the tokenizer. */
    void copyTokenizerTo(Path target) throws IOException {
        copy(TOKENIZER, target);
    }

    private List<WrittenFile> copy(List<String> names, Path target) throws IOException {
        List<WrittenFile> copied = new ArrayList<>();
        FileSystem from = PlainFiles.fileSystem(directory, configuration);
        FileSystem to = PlainFiles.fileSystem(target, configuration);
        // A copy of a file on to itself would empty what it is about to read.
        if (place(from, directory).equals(place(to, target))) {
            return copied;
        }
        for (String name : names) {
            Path file = new Path(directory, name);
            if (from.exists(file)) {
                copied.add(PlainFiles.write(
                        new Path(target, name),
                        out -> {
                            try (InputStream in = from.open(file)) {
                                in.transferTo(out);
                            }
                        },
                        configuration));
            }
        }
        return copied;
    }

    /** One name for one place: a path made of a URI may end with a slash. */
    private static Path place(FileSystem fileSystem, Path path) {
        return fileSystem.makeQualified(new Path(path.toString()));
    }

    /** The padding token: of config.json, generation_config.json, or the tokenizer; else the end token. */
    OptionalInt padToken(HubConfig config) throws IOException {
        OptionalInt configured = id(config.object("pad_token_id"));
        if (configured.isPresent()) {
            return configured;
        }
        OptionalInt generation = id(json(GENERATION).path("pad_token_id"));
        if (generation.isPresent()) {
            return generation;
        }
        JsonNode pad = json("tokenizer_config.json").path("pad_token");
        OptionalInt tokenizer = idOf(pad.isObject() ? pad.path("content").asText() : pad.asText(""));
        return tokenizer.isPresent() ? tokenizer : id(config.object("eos_token_id"));
    }

    private OptionalInt idOf(String token) throws IOException {
        return StreamSupport.stream(json("tokenizer.json").path("added_tokens").spliterator(), false)
                .filter(added -> added.path("content").asText().equals(token))
                .mapToInt(added -> added.path("id").asInt())
                .findFirst();
    }

    private static OptionalInt id(JsonNode node) {
        JsonNode first = node.isArray() ? node.path(0) : node;
        return first.canConvertToInt() ? OptionalInt.of(first.intValue()) : OptionalInt.empty();
    }

    private JsonNode json(String name) throws IOException {
        Path file = new Path(directory, name);
        FileSystem files = PlainFiles.fileSystem(directory, configuration);
        return new ObjectMapper().readTree(files.exists(file) ? TextFiles.read(files, file) : "{}");
    }
}
