package io.rlhf4j.model.family;

import io.rlhf4j.model.PositionEncoding;
import io.rlhf4j.model.TransformerConfig;
import io.rlhf4j.model.TransformerConfig.Attention;
import io.rlhf4j.model.TransformerConfig.BlockLayout;
import io.rlhf4j.model.TransformerConfig.Embedding;
import io.rlhf4j.model.TransformerConfig.FeedForward;
import io.rlhf4j.model.TransformerConfig.Head;
import io.rlhf4j.model.TransformerConfig.Norm;

/** OPT (Zhang et al. 2022): positions offset by 2; the 350M model has its norms behind and projections around. */
final class Opt implements ModelFamily {
    @Override
    public String modelType() {
        return "opt";
    }

    @Override
    public String causalClass() {
        return "OPTForCausalLM";
    }

    @Override
    public String scoreClass() {
        return "OPTForSequenceClassification";
    }

    private static final int POSITION_OFFSET = 2;

    @Override
    public TransformerConfig config(HubConfig json) {
        json.refuse(!json.flag(true, "layer_norm_elementwise_affine"), "layer_norm_elementwise_affine: false");
        int hidden = json.integer(768, "hidden_size");
        int heads = json.integer(12, "num_attention_heads");
        int headDim = hidden / heads;
        boolean bias = json.flag(true, "enable_bias");
        boolean normsBefore = json.flag(true, "do_layer_norm_before");
        int positions = json.integer(2048, "max_position_embeddings");
        return new TransformerConfig(
                json.integer(50272, "vocab_size"),
                hidden,
                new Embedding(json.integer(hidden, "word_embed_proj_dim"), 1f, false),
                new PositionEncoding.Learned(positions, POSITION_OFFSET),
                positions,
                new Attention(heads, heads, headDim, (float) (1 / Math.sqrt(headDim)), 0f, bias, bias, false),
                TransformerConfig.sameWindow(json.integer(12, "num_hidden_layers"), 0),
                new FeedForward(
                        json.integer(3072, "ffn_dim"), json.activation("relu", "activation_function"), false, bias),
                new Norm(Norm.Kind.LAYER, 1e-5f, 0f),
                normsBefore ? BlockLayout.PRE_NORM : BlockLayout.POST_NORM,
                normsBefore && !json.flag(false, "_remove_final_layer_norm"),
                new Head(json.flag(true, "tie_word_embeddings"), false, 0f),
                json.number(0.02, "init_std"));
    }

    @Override
    public WeightNames weightNames() {
        String attention = "decoder.layers.{}.self_attn.";
        return WeightNames.under("model.")
                .layer("embedding.tokens", "decoder.embed_tokens")
                .layer("embedding.positions", "decoder.embed_positions")
                .layer("embedding.projection", "decoder.project_in")
                .layer("blocks.{}.attention.norm", "decoder.layers.{}.self_attn_layer_norm")
                .queriesKeysValues(attention + "q_proj", attention + "k_proj", attention + "v_proj")
                .layer("blocks.{}.attention.output", attention + "out_proj")
                .layer("blocks.{}.feedForward.norm", "decoder.layers.{}.final_layer_norm")
                .layer("blocks.{}.feedForward.input", "decoder.layers.{}.fc1")
                .layer("blocks.{}.feedForward.output", "decoder.layers.{}.fc2")
                .layer("final.norm", "decoder.final_layer_norm")
                .layer("final.projection", "decoder.project_out")
                .ignore("decoder\\.version");
    }
}
