package io.rlhf4j.driver.pipeline;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rlhf4j.format.ElementType;
import io.rlhf4j.hub.ModelDirectory;
import io.rlhf4j.tensor.Backends;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;

/** Model directories beside those of the test resources, with their tokenizers. */
public final class TinyModel {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String CONFIG = "config.json";

    private TinyModel() {}

    /** A copy of the directory of a tiny model. */
    public static Path copy(String family, Path directory) throws IOException {
        Files.createDirectories(directory);
        try (Stream<Path> files = Files.list(TinyRun.model(family))) {
            for (Path file : files.toList()) {
                Files.copy(file, directory.resolve(file.getFileName()));
            }
        }
        return directory;
    }

    /** A copy whose config.json says something else; its weights are not changed. */
    public static Path copy(String family, Path directory, Map<String, Object> changes) throws IOException {
        copy(family, directory);
        ObjectNode config = (ObjectNode) JSON.readTree(directory.resolve(CONFIG).toFile());
        changes.forEach((key, value) -> config.set(key, JSON.valueToTree(value)));
        JSON.writeValue(directory.resolve(CONFIG).toFile(), config);
        return directory;
    }

    /** A copy whose config.json says something else, with random weights that fit it. */
    public static Path remade(String family, Path directory, Map<String, Object> changes) throws IOException {
        copy(family, directory, changes);
        Files.delete(directory.resolve("model.safetensors"));
        org.apache.hadoop.fs.Path path = new org.apache.hadoop.fs.Path(directory.toUri());
        ModelDirectory models = new ModelDirectory(new Configuration(false));
        try (Scope scope = Scope.root(Backends.onClassPath().choose("cpu", 1).backend(), "tiny")) {
            models.save(models.initialize(path, scope, DType.FP32, 1), path, ElementType.F32);
        }
        return directory;
    }
}
