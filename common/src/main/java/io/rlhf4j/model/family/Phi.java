package io.rlhf4j.model.family;

import io.rlhf4j.model.TransformerConfig;
import io.rlhf4j.model.TransformerConfig.Attention;
import io.rlhf4j.model.TransformerConfig.BlockLayout;
import io.rlhf4j.model.TransformerConfig.Embedding;
import io.rlhf4j.model.TransformerConfig.FeedForward;
import io.rlhf4j.model.TransformerConfig.Head;
import io.rlhf4j.model.TransformerConfig.Norm;

/** Phi-1 and Phi-2 (Gunasekar et al. 2023): partial rotary embedding, one norm a block, biases everywhere. */
final class Phi implements ModelFamily {
    @Override
    public String modelType() {
        return "phi";
    }

    @Override
    public String causalClass() {
        return "PhiForCausalLM";
    }

    @Override
    public String scoreClass() {
        return "PhiForSequenceClassification";
    }

    @Override
    public TransformerConfig config(HubConfig json) {
        json.refuse(json.flag(false, "qk_layernorm"), "qk_layernorm");
        int hidden = json.integer(2048, "hidden_size");
        int heads = json.integer(32, "num_attention_heads");
        int headDim = hidden / heads;
        int positions = json.integer(2048, "max_position_embeddings");
        RotarySettings rotary = new RotarySettings(json);
        return new TransformerConfig(
                json.integer(51200, "vocab_size"),
                hidden,
                new Embedding(hidden, 1f, false),
                rotary.encoding(rotary.dimensions(headDim, 0.5), false, positions),
                rotary.longest(positions),
                new Attention(
                        heads,
                        json.integer(heads, "num_key_value_heads"),
                        headDim,
                        (float) (1 / Math.sqrt(headDim)),
                        0f,
                        true,
                        true,
                        false),
                TransformerConfig.sameWindow(json.integer(24, "num_hidden_layers"), 0),
                new FeedForward(
                        json.integer(8192, "intermediate_size"),
                        json.activation("gelu_new", "hidden_act"),
                        false,
                        true),
                new Norm(Norm.Kind.LAYER, (float) json.number(1e-5, "layer_norm_eps"), 0f),
                BlockLayout.PARALLEL,
                true,
                new Head(json.flag(false, "tie_word_embeddings"), true, 0f),
                json.number(0.02, "initializer_range"));
    }

    @Override
    public WeightNames weightNames() {
        String attention = "layers.{}.self_attn.";
        return WeightNames.under("model.")
                .layer("embedding.tokens", "embed_tokens")
                .layer("blocks.{}.attention.norm", "layers.{}.input_layernorm")
                .queriesKeysValues(attention + "q_proj", attention + "k_proj", attention + "v_proj")
                .layer("blocks.{}.attention.output", attention + "dense")
                .layer("blocks.{}.feedForward.input", "layers.{}.mlp.fc1")
                .layer("blocks.{}.feedForward.output", "layers.{}.mlp.fc2")
                .layer("final.norm", "final_layernorm")
                .ignore("layers\\.\\d+\\.self_attn\\.rotary_emb\\.inv_freq");
    }
}
