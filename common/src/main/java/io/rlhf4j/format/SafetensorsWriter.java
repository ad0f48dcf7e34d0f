package io.rlhf4j.format;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Writes safetensors files (https://huggingface.co/docs/safetensors): an 8-byte length, a JSON header, the elements. Equal
 * tensors give equal files. Existing files are replaced.
 */
public final class SafetensorsWriter {
    /** Elements converted at a time. */
    private static final int PIECE = 1 << 16;

    private final Configuration configuration;
    private final ObjectMapper json = new ObjectMapper();

    public SafetensorsWriter(Configuration configuration) {
        this.configuration = configuration;
    }

    /**
     * Writes one file with the tensors in the order given, larger element types first so that every element lies at a
     * multiple of its size. Each tensor is asked for its elements once, a piece at a time.
     *
     * @param metadata free text for {@code __metadata__}; may be empty
     * @throws Rlhf4jException of kind RETRYABLE where the file cannot be written, for example on a full disk
     */
    public WrittenFile write(Path file, List<NamedTensor> tensors, Map<String, String> metadata) {
        try {
            return PlainFiles.write(file, out -> write(out, tensors, metadata), configuration);
        } catch (IOException e) {
            throw new Rlhf4jException(
                    ErrorKind.RETRYABLE,
                    "%s: cannot be written: %s; is there space left, and may this user write there?"
                            .formatted(file, e.getMessage()),
                    e);
        }
    }

    /** The same to a stream, which stays open. */
    public void write(OutputStream stream, List<NamedTensor> tensors, Map<String, String> metadata) throws IOException {
        requireDistinctNames(tensors);
        List<NamedTensor> ordered = new ArrayList<>(tensors);
        ordered.sort(Comparator.comparingInt(
                (NamedTensor tensor) -> -tensor.info().type().bytes()));
        byte[] header = header(ordered, metadata);
        stream.write(ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(header.length)
                .array());
        stream.write(header);
        for (NamedTensor tensor : ordered) {
            writeElements(tensor, stream);
        }
    }

    /** Writes the files of a model and last, where they are several, their index. Weights of an earlier call are removed. */
    public void writeModel(Path directory, TensorShards shards, Map<String, String> metadata) throws IOException {
        requireDistinctNames(shards.all());
        for (int shard = 0; shard < shards.size(); shard++) {
            writeShard(directory, shards, shard, metadata);
        }
        removeOthers(directory, shards.index().tensorsByFile().keySet());
        writeIndex(directory, shards);
    }

    /** Writes one of a model's files. */
    public WrittenFile writeShard(Path directory, TensorShards shards, int shard, Map<String, String> metadata) {
        Map<String, String> marked = new LinkedHashMap<>(metadata);
        marked.putIfAbsent("format", "pt"); // transformers refuses files that do not say so
        return write(new Path(directory, shards.name(shard)), shards.tensors().get(shard), marked);
    }

    /** Writes the index of a model's files; one file needs none. */
    public Optional<WrittenFile> writeIndex(Path directory, TensorShards shards) throws IOException {
        if (shards.size() == 1) {
            return Optional.empty();
        }
        long bytes = shards.all().stream().mapToLong(NamedTensor::bytes).sum();
        Path index = new Path(directory, TensorShards.WHOLE + ShardIndex.SUFFIX);
        return Optional.of(
                PlainFiles.write(index, out -> out.write(shards.index().toJson(bytes)), configuration));
    }

    private void removeOthers(Path directory, Set<String> written) throws IOException {
        FileSystem fileSystem = PlainFiles.fileSystem(directory, configuration);
        for (FileStatus status : fileSystem.listStatus(directory)) {
            String name = status.getPath().getName();
            if (name.matches("model(-\\d{5}-of-\\d{5})?\\.safetensors(\\.index\\.json)?") && !written.contains(name)) {
                fileSystem.delete(status.getPath(), false);
            }
        }
    }

    private byte[] header(List<NamedTensor> tensors, Map<String, String> metadata) throws IOException {
        ObjectNode header = json.createObjectNode();
        if (!metadata.isEmpty()) {
            header.set("__metadata__", json.valueToTree(new TreeMap<>(metadata)));
        }
        long begin = 0;
        for (NamedTensor tensor : tensors) {
            ObjectNode entry = header.putObject(tensor.info().name());
            entry.put("dtype", tensor.info().type().name());
            entry.set("shape", json.valueToTree(tensor.info().shape()));
            entry.putArray("data_offsets").add(begin).add(begin + tensor.bytes());
            begin += tensor.bytes();
        }
        byte[] text = json.writeValueAsBytes(header);
        byte[] padded = new byte[(text.length + 7) / 8 * 8]; // elements begin at a multiple of 8
        Arrays.fill(padded, (byte) ' ');
        System.arraycopy(text, 0, padded, 0, text.length);
        return padded;
    }

    private static void writeElements(NamedTensor tensor, OutputStream stream) throws IOException {
        ElementType type = tensor.info().type();
        long elements = tensor.info().elements();
        float[] values = new float[(int) Math.min(elements, PIECE)];
        ByteBuffer bytes = ByteBuffer.allocate(values.length * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        for (long offset = 0; offset < elements; offset += PIECE) {
            int count = (int) Math.min(elements - offset, PIECE);
            tensor.values().read(offset, values, count);
            bytes.clear();
            ElementCodec.append(type, values, count, bytes);
            stream.write(bytes.array(), 0, bytes.position());
        }
    }

    private static void requireDistinctNames(List<NamedTensor> tensors) {
        Set<String> names = new HashSet<>();
        for (NamedTensor tensor : tensors) {
            String name = tensor.info().name();
            if (!names.add(name) || name.equals("__metadata__")) {
                throw new IllegalArgumentException(
                        "two tensors are called '%s', or the name is reserved".formatted(name));
            }
        }
    }
}
