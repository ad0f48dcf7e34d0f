package io.rlhf4j.driver.plan;

import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.format.TensorFiles;
import io.rlhf4j.format.TensorInfo;
import io.rlhf4j.format.TensorReader;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** Parameters of model directories, read from what their files say of themselves; no weight is loaded. */
final class ModelSizes {
    private final Configuration hadoop;
    private final Map<String, Long> known = new LinkedHashMap<>();

    ModelSizes(Configuration hadoop) {
        this.hadoop = hadoop;
    }

    /**
     * Parameters of the model in {@code directory}.
     *
     * @param key the key of the configuration that named it
     * @throws Rlhf4jException of kind CONFIGURATION where there is no such directory
     */
    long parameters(String directory, String key) throws IOException {
        if (!known.containsKey(directory)) {
            known.put(directory, count(directory, key));
        }
        return known.get(directory);
    }

    private long count(String directory, String key) throws IOException {
        Path path = new Path(directory);
        if (!path.getFileSystem(hadoop).exists(path)) {
            throw Rlhf4jException.configuration(
                    "%s: there is no directory '%s'; give the path of a Hugging Face model directory"
                            .formatted(key, directory));
        }
        try (TensorReader weights = new TensorFiles(hadoop).openModel(path)) {
            return weights.tensors().values().stream()
                    .filter(tensor -> tensor.type().floating())
                    .mapToLong(TensorInfo::elements)
                    .sum();
        }
    }
}
