package io.rlhf4j.model.family;

import io.rlhf4j.model.PositionEncoding;
import io.rlhf4j.model.TransformerConfig;
import io.rlhf4j.model.TransformerConfig.Attention;
import io.rlhf4j.model.TransformerConfig.BlockLayout;
import io.rlhf4j.model.TransformerConfig.Embedding;
import io.rlhf4j.model.TransformerConfig.FeedForward;
import io.rlhf4j.model.TransformerConfig.Head;
import io.rlhf4j.model.TransformerConfig.Norm;

/** GPT-2 (Radford et al. 2019): learned positions, norms before, Conv1D weights stored [in, out]. */
final class Gpt2 implements ModelFamily {
    @Override
    public String modelType() {
        return "gpt2";
    }

    @Override
    public String causalClass() {
        return "GPT2LMHeadModel";
    }

    @Override
    public String scoreClass() {
        return "GPT2ForSequenceClassification";
    }

    @Override
    public TransformerConfig config(HubConfig json) {
        json.refuse(json.flag(false, "scale_attn_by_inverse_layer_idx"), "scale_attn_by_inverse_layer_idx");
        json.refuse(json.flag(false, "add_cross_attention"), "add_cross_attention");
        int hidden = json.integer(768, "n_embd", "hidden_size");
        int heads = json.integer(12, "n_head", "num_attention_heads");
        int headDim = hidden / heads;
        float scale = json.flag(true, "scale_attn_weights") ? (float) (1 / Math.sqrt(headDim)) : 1f;
        int positions = json.integer(1024, "n_positions", "max_position_embeddings", "n_ctx");
        return new TransformerConfig(
                json.integer(50257, "vocab_size"),
                hidden,
                new Embedding(hidden, 1f, false),
                new PositionEncoding.Learned(positions, 0),
                positions,
                new Attention(heads, heads, headDim, scale, 0f, true, true, false),
                TransformerConfig.sameWindow(json.integer(12, "n_layer", "num_hidden_layers"), 0),
                new FeedForward(
                        json.integer(4 * hidden, "n_inner"),
                        json.activation("gelu_new", "activation_function"),
                        false,
                        true),
                new Norm(Norm.Kind.LAYER, (float) json.number(1e-5, "layer_norm_epsilon"), 0f),
                BlockLayout.PRE_NORM,
                true,
                new Head(json.flag(true, "tie_word_embeddings"), false, 0f),
                json.number(0.02, "initializer_range"));
    }

    @Override
    public WeightNames weightNames() {
        return WeightNames.under("transformer.")
                .layer("embedding.tokens", "wte")
                .layer("embedding.positions", "wpe")
                .layer("blocks.{}.attention.norm", "h.{}.ln_1")
                .transposed("blocks.{}.attention.qkv", "h.{}.attn.c_attn")
                .transposed("blocks.{}.attention.output", "h.{}.attn.c_proj")
                .layer("blocks.{}.feedForward.norm", "h.{}.ln_2")
                .transposed("blocks.{}.feedForward.input", "h.{}.mlp.c_fc")
                .transposed("blocks.{}.feedForward.output", "h.{}.mlp.c_proj")
                .layer("final.norm", "ln_f")
                .ignore("h\\.\\d+\\.attn\\.(bias|masked_bias)");
    }
}
