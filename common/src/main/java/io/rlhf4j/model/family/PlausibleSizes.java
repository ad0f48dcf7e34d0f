package io.rlhf4j.model.family;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the sizes of a model can be: a damaged config.json is refused before anything is made that large. */
final class PlausibleSizes {
    private static final Map<List<String>, Integer> MOST = new LinkedHashMap<>();

    static {
        MOST.put(List.of("num_hidden_layers", "n_layer", "num_layers"), 10_000);
        MOST.put(List.of("num_attention_heads", "n_head", "num_heads", "num_key_value_heads"), 1 << 16);
        MOST.put(
                List.of(
                        "hidden_size",
                        "n_embd",
                        "word_embed_proj_dim",
                        "intermediate_size",
                        "n_inner",
                        "ffn_dim",
                        "head_dim",
                        "rotary_dim"),
                1 << 20);
        MOST.put(List.of("vocab_size"), 1 << 26);
        MOST.put(List.of("max_position_embeddings", "n_positions", "seq_length", "n_ctx"), 1 << 30);
    }

    private PlausibleSizes() {}

    /** Refuses sizes below 1 or above what any model has; what is absent or no number is not looked at. */
    static void require(HubConfig config) {
        MOST.forEach((keys, most) -> {
            for (String key : keys) {
                JsonNode value = config.object(key);
                if (value.isNumber() && !(value.doubleValue() >= 1 && value.doubleValue() <= most)) {
                    throw config.refusal("%s is %s, which no model has; is the file damaged?".formatted(key, value));
                }
            }
        });
    }
}
