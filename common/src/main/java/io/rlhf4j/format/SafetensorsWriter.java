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
     * @return bytes written
     * @throws Rlhf4jException of kind RETRYABLE where the file cannot be written, for example on a full disk
     */
    public long write(Path file, List<NamedTensor> tensors, Map<String, String> metadata) throws IOException {
        try (OutputStream stream = PlainFiles.fileSystem(file, configuration).create(file, true)) {
            return write(stream, tensors, metadata);
        } catch (IOException e) {
            throw new Rlhf4jException(
                    ErrorKind.RETRYABLE,
                    "%s: cannot be written: %s; is there space left, and may this user write there?"
                            .formatted(file, e.getMessage()),
                    e);
        }
    }

    /** The same to a stream, which stays open. */
    public long write(OutputStream stream, List<NamedTensor> tensors, Map<String, String> metadata) throws IOException {
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
        long written = 8L + header.length;
        for (NamedTensor tensor : ordered) {
            writeElements(tensor, stream);
            written += tensor.bytes();
        }
        return written;
    }

    /**
     * Writes {@code model.safetensors}, or, where all tensors together exceed {@code maximumShardBytes}, shards named {@code
     * model-00001-of-0000N.safetensors} and last {@code model.safetensors.index.json}. A tensor is never split. Weights of an
     * earlier call in the same directory are removed.
     */
    public void writeModel(
            Path directory, List<NamedTensor> tensors, Map<String, String> metadata, long maximumShardBytes)
            throws IOException {
        requireDistinctNames(tensors);
        Map<String, String> marked = new LinkedHashMap<>(metadata);
        marked.putIfAbsent("format", "pt"); // transformers refuses files that do not say so
        List<List<NamedTensor>> shards = shards(tensors, maximumShardBytes);
        Map<String, List<String>> tensorsByFile = new TreeMap<>();
        for (int i = 0; i < shards.size(); i++) {
            String name = shards.size() == 1
                    ? "model.safetensors"
                    : "model-%05d-of-%05d.safetensors".formatted(i + 1, shards.size());
            write(new Path(directory, name), shards.get(i), marked);
            tensorsByFile.put(
                    name,
                    shards.get(i).stream().map(tensor -> tensor.info().name()).toList());
        }
        Path index = new Path(directory, "model.safetensors" + ShardIndex.SUFFIX);
        removeOthers(directory, tensorsByFile.keySet());
        if (shards.size() > 1) {
            long total = tensors.stream().mapToLong(NamedTensor::bytes).sum();
            try (OutputStream stream =
                    PlainFiles.fileSystem(index, configuration).create(index, true)) {
                stream.write(new ShardIndex(tensorsByFile).toJson(total));
            }
        }
    }

    /** Fills shards in the order given; each holds at least one tensor. */
    private static List<List<NamedTensor>> shards(List<NamedTensor> tensors, long maximumBytes) {
        List<List<NamedTensor>> shards = new ArrayList<>();
        shards.add(new ArrayList<>());
        long bytes = 0;
        for (NamedTensor tensor : tensors) {
            List<NamedTensor> shard = shards.get(shards.size() - 1);
            if (!shard.isEmpty() && bytes + tensor.bytes() > maximumBytes) {
                shard = new ArrayList<>();
                shards.add(shard);
                bytes = 0;
            }
            shard.add(tensor);
            bytes += tensor.bytes();
        }
        return shards;
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
