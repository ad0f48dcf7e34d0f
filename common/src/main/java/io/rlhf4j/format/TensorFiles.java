package io.rlhf4j.format;

import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** Opens the weights of a model, whatever form they have. */
public final class TensorFiles {
    private final Configuration configuration;

    public TensorFiles(Configuration configuration) {
        this.configuration = configuration;
    }

    /**
     * Opens a file: {@code *.safetensors}, or a PyTorch state dict ({@code *.bin}, {@code *.pt}, {@code *.pth}).
     *
     * @throws io.rlhf4j.error.Rlhf4jException of kind DATA where it is missing or damaged
     */
    public TensorReader open(Path file) throws IOException {
        throw new UnsupportedOperationException(configuration + " " + file);
    }

    /**
     * Opens a model directory: the first there is of {@code model.safetensors}, {@code model.safetensors.index.json} with its
     * shards, {@code pytorch_model.bin}, {@code pytorch_model.bin.index.json} with its shards.
     *
     * @throws io.rlhf4j.error.Rlhf4jException of kind DATA where none is there, or a shard is missing or damaged
     */
    public TensorReader openModel(Path directory) throws IOException {
        throw new UnsupportedOperationException(directory.toString());
    }
}
