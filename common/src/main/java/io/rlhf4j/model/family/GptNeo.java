package io.rlhf4j.model.family;

import com.fasterxml.jackson.databind.JsonNode;
import io.rlhf4j.model.PositionEncoding;
import io.rlhf4j.model.TransformerConfig;
import io.rlhf4j.model.TransformerConfig.Attention;
import io.rlhf4j.model.TransformerConfig.BlockLayout;
import io.rlhf4j.model.TransformerConfig.Embedding;
import io.rlhf4j.model.TransformerConfig.FeedForward;
import io.rlhf4j.model.TransformerConfig.Head;
import io.rlhf4j.model.TransformerConfig.Norm;
import java.util.ArrayList;
import java.util.List;

/** GPT-Neo (Black et al. 2021): every other block sees a window only; scores are not divided by sqrt(headDim). */
final class GptNeo implements ModelFamily {
    @Override
    public String modelType() {
        return "gpt_neo";
    }

    @Override
    public String causalClass() {
        return "GPTNeoForCausalLM";
    }

    @Override
    public String scoreClass() {
        return "GPTNeoForSequenceClassification";
    }

    @Override
    public TransformerConfig config(HubConfig json) {
        int hidden = json.integer(2048, "hidden_size");
        int heads = json.integer(16, "num_heads", "num_attention_heads");
        int positions = json.integer(2048, "max_position_embeddings");
        return new TransformerConfig(
                json.integer(50257, "vocab_size"),
                hidden,
                new Embedding(hidden, 1f, false),
                new PositionEncoding.Learned(positions, 0),
                positions,
                new Attention(heads, heads, hidden / heads, 1f, 0f, false, true, false),
                windows(json, json.integer(24, "num_layers", "num_hidden_layers")),
                new FeedForward(
                        json.integer(4 * hidden, "intermediate_size"),
                        json.activation("gelu_new", "activation_function"),
                        false,
                        true),
                new Norm(Norm.Kind.LAYER, (float) json.number(1e-5, "layer_norm_epsilon"), 0f),
                BlockLayout.PRE_NORM,
                true,
                new Head(json.flag(true, "tie_word_embeddings"), false, 0f),
                json.number(0.02, "initializer_range"));
    }

    private static List<Integer> windows(HubConfig json, int layers) {
        List<String> kinds = new ArrayList<>(json.texts("attention_layers"));
        if (kinds.isEmpty()) {
            // [[["global", "local"], 12]]: each list of kinds as often as the number behind it says
            for (JsonNode group : json.object("attention_types")) {
                for (int repeat = 0; repeat < group.path(1).asInt() && kinds.size() <= layers; repeat++) {
                    group.path(0).forEach(kind -> kinds.add(kind.asText()));
                }
            }
        }
        while (kinds.size() < layers && !json.has("attention_layers") && !json.has("attention_types")) {
            kinds.add(kinds.size() % 2 == 0 ? "global" : "local");
        }
        if (kinds.size() != layers) {
            throw json.refusal("attention kinds for %d layers, but num_layers is %d".formatted(kinds.size(), layers));
        }
        int window = json.integer(256, "window_size");
        return kinds.stream().map(kind -> kind.equals("local") ? window : 0).toList();
    }

    @Override
    public WeightNames weightNames() {
        String attention = "h.{}.attn.attention.";
        return WeightNames.under("transformer.")
                .layer("embedding.tokens", "wte")
                .layer("embedding.positions", "wpe")
                .layer("blocks.{}.attention.norm", "h.{}.ln_1")
                .queriesKeysValues(attention + "q_proj", attention + "k_proj", attention + "v_proj")
                .layer("blocks.{}.attention.output", attention + "out_proj")
                .layer("blocks.{}.feedForward.norm", "h.{}.ln_2")
                .layer("blocks.{}.feedForward.input", "h.{}.mlp.c_fc")
                .layer("blocks.{}.feedForward.output", "h.{}.mlp.c_proj")
                .layer("final.norm", "ln_f")
                .ignore("h\\.\\d+\\.attn\\.attention\\.(bias|masked_bias)");
    }
}
