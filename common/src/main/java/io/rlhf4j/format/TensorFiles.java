package io.rlhf4j.format;

import io.rlhf4j.error.Rlhf4jException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** Opens the weights of a model, whatever form they have. */
public final class TensorFiles {
    private static final String TORCH = "pytorch_model.bin";

    private final Configuration configuration;
    private final FileHashes hashes;

    public TensorFiles(Configuration configuration) {
        this(configuration, FileHashes.ANY);
    }

    /**
     * Files that have to have hashes, which are computed while they are read.
     *
     * @see TensorReader#verify()
     */
    public TensorFiles(Configuration configuration, FileHashes hashes) {
        this.configuration = configuration;
        this.hashes = hashes;
    }

    /**
     * Opens a file: {@code *.safetensors}, or a PyTorch state dict ({@code *.bin}, {@code *.pt}, {@code *.pth}).
     *
     * @throws Rlhf4jException of kind DATA where it is missing or damaged
     */
    public TensorReader open(Path file) throws IOException {
        return openTable(file);
    }

    /**
     * Opens a model directory: the first there is of {@code model.safetensors}, {@code model.safetensors.index.json} with its
     * shards, {@code pytorch_model.bin}, {@code pytorch_model.bin.index.json} with its shards.
     *
     * @throws Rlhf4jException of kind DATA where none is there, or a shard is missing or damaged
     */
    public TensorReader openModel(Path directory) throws IOException {
        for (String name : List.of(TensorShards.WHOLE, TORCH)) {
            Path file = new Path(directory, name);
            if (PlainFiles.exists(file, configuration)) {
                return openTable(file);
            }
            Path index = new Path(directory, name + ShardIndex.SUFFIX);
            if (PlainFiles.exists(index, configuration)) {
                return openShards(directory, ShardIndex.read(index, configuration));
            }
        }
        throw Rlhf4jException.data("%s: there are no weights; looked for %s and %s, whole or in shards with an index"
                .formatted(directory, TensorShards.WHOLE, TORCH));
    }

    private TensorTable openTable(Path file) throws IOException {
        Optional<String> hash = hashes.of(file);
        RandomAccessBytes plain = RandomAccessBytes.open(file, configuration);
        RandomAccessBytes bytes = hash.isPresent() ? new HashedBytes(file.toString(), plain, hash.get()) : plain;
        try {
            boolean torch = file.getName().matches(".*\\.(bin|pt|pth)");
            return torch ? TorchFile.open(file.toString(), bytes) : SafetensorsFile.open(file.toString(), bytes);
        } catch (Rlhf4jException | IOException e) {
            closeAfter(e, bytes);
            throw e;
        }
    }

    private TensorTable openShards(Path directory, ShardIndex index) throws IOException {
        List<OpenFile> shards = new ArrayList<>();
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        Map<String, String> metadata = new LinkedHashMap<>();
        try {
            for (Map.Entry<String, List<String>> shard : index.tensorsByFile().entrySet()) {
                TensorTable table = openTable(new Path(directory, shard.getKey()));
                shards.add(table);
                metadata.putAll(table.metadata());
                shard.getValue().forEach(name -> tensors.put(name, table.stored(name)));
            }
        } catch (Rlhf4jException | IOException e) {
            closeAfter(e, new TensorTable(directory.toString(), tensors, metadata, shards));
            throw e;
        }
        return new TensorTable(directory.toString(), tensors, metadata, shards);
    }

    /** Where a file is damaged, that says more than what it has led to. */
    private static void closeAfter(Exception failure, OpenFile file) throws IOException {
        try (file) {
            if (failure instanceof Rlhf4jException) {
                file.verify();
            }
        }
    }
}
