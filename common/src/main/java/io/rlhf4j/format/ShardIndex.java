package io.rlhf4j.format;

import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.rlhf4j.error.Rlhf4jException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * Which shard of a model holds which tensor: {@code *.index.json}.
 *
 * @param tensorsByFile names of tensors by the name of the shard beside the index that holds them
 */
record ShardIndex(Map<String, List<String>> tensorsByFile) {
    static final String SUFFIX = ".index.json";

    private static final int MAXIMUM_BYTES = 100_000_000;
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();
    private static final ObjectWriter WRITER = JsonMapper.builder()
            .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
            .build()
            .writerWithDefaultPrettyPrinter();

    static ShardIndex read(Path file, Configuration configuration) throws IOException {
        Map<String, List<String>> tensorsByFile = new TreeMap<>();
        for (Map.Entry<String, JsonNode> entry : weightMap(file, configuration).properties()) {
            String shard = entry.getValue().asText();
            if (!shard.matches("[A-Za-z0-9][A-Za-z0-9._-]*")) {
                throw Rlhf4jException.data("%s: tensor '%s' is said to lie in '%s', which is no file beside the index"
                        .formatted(file, entry.getKey(), shard));
            }
            tensorsByFile.computeIfAbsent(shard, key -> new ArrayList<>()).add(entry.getKey());
        }
        return new ShardIndex(tensorsByFile);
    }

    private static JsonNode weightMap(Path file, Configuration configuration) throws IOException {
        byte[] bytes = PlainFiles.read(file, MAXIMUM_BYTES, configuration);
        try {
            JsonNode weightMap = JSON.readTree(bytes).path("weight_map");
            if (!weightMap.isObject()) {
                throw Rlhf4jException.data(file + ": has no object 'weight_map'; is it an index of shards?");
            }
            return weightMap;
        } catch (IOException e) {
            throw Rlhf4jException.data(
                    "%s: is no valid JSON: %s; is the file damaged?".formatted(file, e.getMessage()), e);
        }
    }

    /** The index as it is written; {@code totalSize} is the number of bytes of all tensors. */
    byte[] toJson(long totalSize) throws IOException {
        Map<String, String> weightMap = new TreeMap<>();
        tensorsByFile.forEach((file, names) -> names.forEach(name -> weightMap.put(name, file)));
        return WRITER.writeValueAsBytes(Map.of("metadata", Map.of("total_size", totalSize), "weight_map", weightMap));
    }
}
