package io.rlhf4j.driver.bench;

import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.hub.ModelDirectory;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import java.io.IOException;
import java.io.InputStream;
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
    public static final List<String> SHAPES = List.of("opt-125m", "llama-160m", "llama-160m-gqa", "tiny");

    /** What the measurement calls it. */
    String label() {
        return SHAPES.contains(name) ? name : Path.of(name).getFileName().toString();
    }

    /** The model, its values held by {@code scope}. */
    CausalLanguageModel make(Scope scope, DType type) throws IOException {
        ModelDirectory models = new ModelDirectory(new Configuration());
        if (!SHAPES.contains(name)) {
            if (!Files.isDirectory(Path.of(name))) {
                throw Rlhf4jException.configuration("there is no shape and no folder '%s'; shapes are %s"
                        .formatted(name, String.join(", ", SHAPES)));
            }
            return models.loadCausal(new org.apache.hadoop.fs.Path(name), scope, type);
        }
        Path folder = Files.createTempDirectory("rlhf4j-shape");
        Path config = folder.resolve("config.json");
        try (InputStream stream = BenchModel.class.getResourceAsStream(name + "/config.json")) {
            Files.copy(stream, config);
            return models.initialize(new org.apache.hadoop.fs.Path(folder.toUri()), scope, type, 0);
        } finally {
            Files.deleteIfExists(config);
            Files.deleteIfExists(folder);
        }
    }
}
