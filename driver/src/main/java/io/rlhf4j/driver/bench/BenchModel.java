package io.rlhf4j.driver.bench;

import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.hub.ModelDirectory;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tokenizer.Tokenizer;
import io.rlhf4j.tokenizer.training.ByteLevelBpeTrainer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;

/**
 * What is measured: a shape with random weights, or the model in a folder.
 *
 * @param name of a shape, or path of a folder
 */
public record BenchModel(String name) {
    /** Shapes whose config.json is part of the program. */
    public static final List<String> SHAPES =
            List.of("opt-125m", "opt-350m", "opt-1.3b", "llama-160m", "llama-160m-gqa", "tiny");

    private static final int BYTES = 256;

    /** What the measurement calls it. */
    String label() {
        return isShape() ? name : Path.of(name).getFileName().toString();
    }

    /** What scripts of other systems, which run in a folder of their own, are told. */
    String argument() {
        return isShape() ? name : Path.of(name).toAbsolutePath().toString();
    }

    /** The model, its values held by {@code scope}. */
    CausalLanguageModel make(Scope scope, DType type) throws IOException {
        ModelDirectory models = new ModelDirectory(new Configuration());
        if (!isShape()) {
            return models.loadCausal(folder(), scope, type);
        }
        try (InputStream config = BenchModel.class.getResourceAsStream(name + "/config.json")) {
            return fromFile(
                    "config.json", config.readAllBytes(), directory -> models.initialize(directory, scope, type, 0));
        }
    }

    /** The folder's tokenizer; for a shape one that knows bytes alone. */
    Tokenizer tokenizer() throws IOException {
        if (!isShape()) {
            return Tokenizer.load(folder(), new Configuration());
        }
        String bytes =
                new ByteLevelBpeTrainer(BYTES, List.of()).train(List.of()).toJson();
        return fromFile(
                "tokenizer.json",
                bytes.getBytes(StandardCharsets.UTF_8),
                directory -> Tokenizer.load(directory, new Configuration()));
    }

    /** Whether this is a shape of LLaMA, the family that llama.cpp has a writer for among the peers. */
    boolean isLlamaShape() {
        return isShape() && name.startsWith("llama");
    }

    private boolean isShape() {
        return SHAPES.contains(name);
    }

    private org.apache.hadoop.fs.Path folder() {
        if (!Files.isDirectory(Path.of(name))) {
            throw Rlhf4jException.configuration(
                    "there is no shape and no folder '%s'; shapes are %s".formatted(name, String.join(", ", SHAPES)));
        }
        return new org.apache.hadoop.fs.Path(name);
    }

    /** Reads what needs a directory with this one file in it. */
    private interface Reading<T> {
        T from(org.apache.hadoop.fs.Path directory) throws IOException;
    }

    private static <T> T fromFile(String file, byte[] content, Reading<T> reading) throws IOException {
        Path folder = Files.createTempDirectory("rlhf4j-shape");
        try {
            Files.write(folder.resolve(file), content);
            return reading.from(new org.apache.hadoop.fs.Path(folder.toUri()));
        } finally {
            Files.deleteIfExists(folder.resolve(file));
            Files.deleteIfExists(folder);
        }
    }
}
