package io.rlhf4j.format;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * Writes safetensors files (https://huggingface.co/docs/safetensors): an 8-byte length, a JSON header, the elements. Equal
 * tensors give equal files. Existing files are replaced.
 */
public final class SafetensorsWriter {
    private final Configuration configuration;

    public SafetensorsWriter(Configuration configuration) {
        this.configuration = configuration;
    }

    /**
     * Writes one file with the tensors in the order given; each is asked for its elements once, a piece at a time.
     *
     * @param metadata free text for {@code __metadata__}; may be empty
     * @return bytes written
     */
    public long write(Path file, List<NamedTensor> tensors, Map<String, String> metadata) throws IOException {
        throw new UnsupportedOperationException(configuration + " " + file + tensors + metadata);
    }

    /**
     * Writes {@code model.safetensors}, or, where all tensors together exceed {@code maximumShardBytes}, shards named {@code
     * model-00001-of-0000N.safetensors} and last {@code model.safetensors.index.json}. A tensor is never split.
     */
    public void writeModel(
            Path directory, List<NamedTensor> tensors, Map<String, String> metadata, long maximumShardBytes)
            throws IOException {
        throw new UnsupportedOperationException(directory + " " + tensors + metadata + maximumShardBytes);
    }
}
