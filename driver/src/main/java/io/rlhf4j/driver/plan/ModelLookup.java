package io.rlhf4j.driver.plan;

import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.format.TensorFiles;
import io.rlhf4j.hub.ModelDescription;
import io.rlhf4j.hub.ModelDirectory;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** Architectures of model directories. What the weight files say of themselves is checked, no weight is loaded. */
final class ModelLookup {
    private final Configuration hadoop;
    private final Map<String, ModelDescription> known = new LinkedHashMap<>();

    ModelLookup(Configuration hadoop) {
        this.hadoop = hadoop;
    }

    /**
     * The model in {@code directory}.
     *
     * @param key the key of the configuration that named it
     * @throws Rlhf4jException of kind CONFIGURATION where there is no such directory, of kind DATA where its weights are
     *     missing or truncated
     */
    ModelDescription find(String directory, String key) throws IOException {
        if (!known.containsKey(directory)) {
            known.put(directory, read(directory, key));
        }
        return known.get(directory);
    }

    private ModelDescription read(String directory, String key) throws IOException {
        Path path = new Path(directory);
        if (!path.getFileSystem(hadoop).exists(path)) {
            throw Rlhf4jException.configuration(
                    "%s: there is no directory '%s'; give the path of a Hugging Face model directory"
                            .formatted(key, directory));
        }
        ModelDescription description = new ModelDirectory(hadoop).describe(path);
        new TensorFiles(hadoop).openModel(path).close();
        return description;
    }
}
