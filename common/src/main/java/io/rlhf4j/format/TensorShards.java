package io.rlhf4j.format;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * How the tensors of a model are divided among files: {@code model.safetensors}, or {@code model-00001-of-0000N.safetensors}
 * and so on, which {@code model.safetensors.index.json} names.
 *
 * @param tensors of each file, in order
 */
public record TensorShards(List<List<NamedTensor>> tensors) {
    static final String WHOLE = "model.safetensors";

    /** Fills files in the order given, each with one tensor at least and otherwise up to {@code maximumBytes}. */
    public static TensorShards ofAtMost(long maximumBytes, List<NamedTensor> tensors) {
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
        return new TensorShards(shards);
    }

    /** How many files there are. */
    public int size() {
        return tensors.size();
    }

    /** The name of a file. */
    String name(int shard) {
        return size() == 1 ? WHOLE : "model-%05d-of-%05d.safetensors".formatted(shard + 1, size());
    }

    /** What the index tells. */
    ShardIndex index() {
        Map<String, List<String>> names = new TreeMap<>();
        for (int shard = 0; shard < size(); shard++) {
            names.put(
                    name(shard),
                    tensors.get(shard).stream()
                            .map(tensor -> tensor.info().name())
                            .toList());
        }
        return new ShardIndex(names);
    }

    /** All tensors. */
    List<NamedTensor> all() {
        return tensors.stream().flatMap(List::stream).toList();
    }
}
