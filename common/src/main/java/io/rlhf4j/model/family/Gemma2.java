package io.rlhf4j.model.family;

import io.rlhf4j.model.TransformerConfig;
import io.rlhf4j.model.TransformerConfig.Attention;
import io.rlhf4j.model.TransformerConfig.BlockLayout;
import io.rlhf4j.model.TransformerConfig.Embedding;
import io.rlhf4j.model.TransformerConfig.FeedForward;
import io.rlhf4j.model.TransformerConfig.Head;
import io.rlhf4j.model.TransformerConfig.Norm;
import java.util.ArrayList;
import java.util.List;

/** Gemma 2 (Riviere et al. 2024): four norms a block with weights around 1, soft caps, alternating windows. */
final class Gemma2 implements ModelFamily {
    @Override
    public String modelType() {
        return "gemma2";
    }

    @Override
    public String causalClass() {
        return "Gemma2ForCausalLM";
    }

    @Override
    public String scoreClass() {
        return "Gemma2ForSequenceClassification";
    }

    @Override
    public TransformerConfig config(HubConfig json) {
        int hidden = json.integer(2304, "hidden_size");
        int heads = json.integer(8, "num_attention_heads");
        int headDim = json.integer(256, "head_dim");
        int positions = json.integer(8192, "max_position_embeddings");
        RotarySettings rotary = new RotarySettings(json);
        boolean bias = json.flag(false, "attention_bias");
        return new TransformerConfig(
                json.integer(256000, "vocab_size"),
                hidden,
                new Embedding(hidden, (float) Math.sqrt(hidden), false),
                rotary.encoding(headDim, false, positions),
                rotary.longest(positions),
                new Attention(
                        heads,
                        json.integer(json.has("num_key_value_heads") ? heads : 4, "num_key_value_heads"),
                        headDim,
                        (float) (1 / Math.sqrt(json.number(256, "query_pre_attn_scalar"))),
                        (float) json.number(json.has("attn_logit_softcapping") ? 0 : 50, "attn_logit_softcapping"),
                        bias,
                        bias,
                        false),
                windows(json, json.integer(26, "num_hidden_layers")),
                new FeedForward(
                        json.integer(9216, "intermediate_size"),
                        json.activation("gelu_pytorch_tanh", "hidden_activation"),
                        true,
                        false),
                new Norm(Norm.Kind.RMS, (float) json.number(1e-6, "rms_norm_eps"), 1f),
                BlockLayout.SANDWICH,
                true,
                new Head(json.flag(true, "tie_word_embeddings"), false, (float)
                        json.number(json.has("final_logit_softcapping") ? 0 : 30, "final_logit_softcapping")),
                json.number(0.02, "initializer_range"));
    }

    private static List<Integer> windows(HubConfig json, int layers) {
        int window = json.integer(json.has("sliding_window") ? 0 : 4096, "sliding_window");
        List<String> kinds = json.layerTypes(layers);
        List<Integer> windows = new ArrayList<>();
        for (int layer = 0; layer < layers; layer++) {
            boolean sliding =
                    kinds.isEmpty() ? layer % 2 == 0 : kinds.get(layer).equals("sliding_attention");
            windows.add(sliding ? window : 0);
        }
        return windows;
    }

    @Override
    public WeightNames weightNames() {
        return GatedDecoder.weightNames()
                .layer("blocks.{}.attention.outputNorm", "layers.{}.post_attention_layernorm")
                .layer("blocks.{}.feedForward.norm", "layers.{}.pre_feedforward_layernorm")
                .layer("blocks.{}.feedForward.outputNorm", "layers.{}.post_feedforward_layernorm");
    }
}
