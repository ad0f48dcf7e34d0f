package io.rlhf4j.format;

import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.rlhf4j.error.Rlhf4jException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The header of one safetensors file: 8 bytes of length, JSON that gives each tensor's type, shape and range of bytes. As in
 * the reference implementation the ranges have to cover everything after the header, without holes and without overlap.
 */
final class SafetensorsFile {
    /** The limit of the reference implementation. */
    private static final int MAXIMUM_HEADER = 100_000_000;

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private final String origin;
    private final RandomAccessBytes bytes;
    private final Map<String, String> metadata = new LinkedHashMap<>();

    private SafetensorsFile(String origin, RandomAccessBytes bytes) {
        this.origin = origin;
        this.bytes = bytes;
    }

    /** Reads the header; {@code bytes} is closed with the result. */
    static TensorTable open(String origin, RandomAccessBytes bytes) throws IOException {
        SafetensorsFile file = new SafetensorsFile(origin, bytes);
        Map<String, StoredTensor> tensors = file.tensors();
        return new TensorTable(origin, tensors, file.metadata, List.of(bytes));
    }

    private Map<String, StoredTensor> tensors() throws IOException {
        if (bytes.length() < 8) {
            throw damaged("has %d bytes, which is no safetensors file; was the download cut short?"
                    .formatted(bytes.length()));
        }
        long headerLength = bytes.read(0, 8).getLong(0);
        if (headerLength < 2 || headerLength > MAXIMUM_HEADER || headerLength > bytes.length() - 8) {
            throw damaged(
                    "its header is said to have %d bytes, the file has %d; is it truncated, or no safetensors file?"
                            .formatted(headerLength, bytes.length()));
        }
        JsonNode header = parse(new ByteRegion(origin, bytes, 8, headerLength, null).readAll(0, headerLength));
        ByteRegion data = new ByteRegion(origin, bytes, 8 + headerLength, bytes.length() - 8 - headerLength, null);
        List<StoredTensor> tensors = new ArrayList<>();
        for (Map.Entry<String, JsonNode> field : header.properties()) {
            if (field.getKey().equals("__metadata__")) {
                readMetadata(field.getValue());
            } else {
                tensors.add(tensor(field.getKey(), field.getValue(), data));
            }
        }
        return inOrder(tensors, data);
    }

    private JsonNode parse(byte[] header) {
        try {
            JsonNode parsed = JSON.readTree(header);
            if (!parsed.isObject()) {
                throw damaged("its header is no JSON object");
            }
            return parsed;
        } catch (IOException e) {
            throw Rlhf4jException.data(
                    "%s: its header is no valid JSON: %s; is the file damaged?".formatted(origin, e.getMessage()), e);
        }
    }

    private void readMetadata(JsonNode node) {
        for (Map.Entry<String, JsonNode> entry : node.properties()) {
            if (!entry.getValue().isTextual()) {
                throw damaged("__metadata__ '%s' is not text".formatted(entry.getKey()));
            }
            metadata.put(entry.getKey(), entry.getValue().textValue());
        }
    }

    private StoredTensor tensor(String name, JsonNode node, ByteRegion data) {
        String typeName = node.path("dtype").asText();
        ElementType type = ElementType.named(typeName)
                .orElseThrow(() -> damaged(name, "has element type '%s', which is not read here".formatted(typeName)));
        JsonNode shapeNode = node.path("shape");
        JsonNode offsets = node.path("data_offsets");
        if (!shapeNode.isArray() || !offsets.isArray() || offsets.size() != 2) {
            throw damaged(name, "lacks its shape or its data_offsets");
        }
        List<Integer> shape = new ArrayList<>();
        for (JsonNode length : shapeNode) {
            if (!length.canConvertToInt() || !length.isIntegralNumber() || length.intValue() < 0) {
                throw damaged(name, "has a dimension of " + length);
            }
            shape.add(length.intValue());
        }
        if (!isOffset(offsets.get(0)) || !isOffset(offsets.get(1))) {
            throw damaged(name, "has data_offsets " + offsets);
        }
        long begin = offsets.get(0).longValue();
        long end = offsets.get(1).longValue();
        if (begin > end || end > data.length()) {
            throw damaged(
                    name,
                    "lies at bytes [%d, %d), the file holds %d; is it truncated?".formatted(begin, end, data.length()));
        }
        TensorInfo info = new TensorInfo(name, type, shape);
        if (bytesOf(info) != end - begin) {
            throw damaged(
                    name, "of shape %s and type %s does not fit into its %d bytes".formatted(shape, type, end - begin));
        }
        return new StoredTensor(info, data, begin, null);
    }

    private static boolean isOffset(JsonNode node) {
        return node.isIntegralNumber() && node.canConvertToLong() && node.longValue() >= 0;
    }

    private long bytesOf(TensorInfo info) {
        try {
            return Math.multiplyExact(info.elements(), (long) info.type().bytes());
        } catch (ArithmeticException e) {
            throw damaged(info.name(), "has the impossible shape " + info.shape());
        }
    }

    private Map<String, StoredTensor> inOrder(List<StoredTensor> tensors, ByteRegion data) {
        tensors.sort(Comparator.comparingLong(StoredTensor::offset)
                .thenComparingLong(tensor -> tensor.info().elements()));
        Map<String, StoredTensor> ordered = new LinkedHashMap<>();
        long expected = 0;
        for (StoredTensor tensor : tensors) {
            if (tensor.offset() != expected) {
                throw damaged(
                        tensor.info().name(),
                        "begins at byte %d, the tensor before it ends at %d: they overlap or leave a hole"
                                .formatted(tensor.offset(), expected));
            }
            expected += bytesOf(tensor.info());
            ordered.put(tensor.info().name(), tensor);
        }
        if (expected != data.length()) {
            throw damaged("%d bytes after its last tensor belong to none".formatted(data.length() - expected));
        }
        return ordered;
    }

    private Rlhf4jException damaged(String what) {
        return Rlhf4jException.data(origin + ": " + what);
    }

    private Rlhf4jException damaged(String tensor, String what) {
        return Rlhf4jException.data("%s: tensor '%s' %s".formatted(origin, tensor, what));
    }
}
