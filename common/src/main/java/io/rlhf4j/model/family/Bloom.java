package io.rlhf4j.model.family;

import io.rlhf4j.model.PositionEncoding;
import io.rlhf4j.model.TransformerConfig;
import io.rlhf4j.model.TransformerConfig.Attention;
import io.rlhf4j.model.TransformerConfig.BlockLayout;
import io.rlhf4j.model.TransformerConfig.Embedding;
import io.rlhf4j.model.TransformerConfig.FeedForward;
import io.rlhf4j.model.TransformerConfig.Head;
import io.rlhf4j.model.TransformerConfig.Norm;
import io.rlhf4j.tensor.Activation;

/** BLOOM (Le Scao et al. 2022): ALiBi, fused projections head by head, a norm behind the embedding. */
final class Bloom implements ModelFamily {
    @Override
    public String modelType() {
        return "bloom";
    }

    @Override
    public String causalClass() {
        return "BloomForCausalLM";
    }

    @Override
    public String scoreClass() {
        return "BloomForSequenceClassification";
    }

    @Override
    public TransformerConfig config(HubConfig json) {
        json.refuse(
                json.flag(false, "apply_residual_connection_post_layernorm"),
                "apply_residual_connection_post_layernorm");
        int hidden = json.integer(64, "hidden_size", "n_embed");
        int heads = json.integer(8, "n_head", "num_attention_heads");
        int headDim = hidden / heads;
        return new TransformerConfig(
                json.integer(250880, "vocab_size"),
                hidden,
                new Embedding(hidden, 1f, true),
                new PositionEncoding.Alibi(),
                json.integer(0, "seq_length", "max_position_embeddings", "n_positions"),
                new Attention(heads, heads, headDim, (float) (1 / Math.sqrt(headDim)), 0f, true, true, false),
                TransformerConfig.sameWindow(json.integer(2, "n_layer", "num_hidden_layers"), 0),
                new FeedForward(4 * hidden, Activation.GELU_TANH, false, true),
                new Norm(Norm.Kind.LAYER, (float) json.number(1e-5, "layer_norm_epsilon"), 0f),
                BlockLayout.PRE_NORM,
                true,
                new Head(json.flag(true, "tie_word_embeddings"), false, 0f),
                json.number(0.02, "initializer_range"));
    }

    @Override
    public WeightNames weightNames() {
        return WeightNames.under("transformer.")
                .layer("embedding.tokens", "word_embeddings")
                .layer("embedding.norm", "word_embeddings_layernorm")
                .layer("blocks.{}.attention.norm", "h.{}.input_layernorm")
                .interleavedHeads("h.{}.self_attention.query_key_value")
                .layer("blocks.{}.attention.output", "h.{}.self_attention.dense")
                .layer("blocks.{}.feedForward.norm", "h.{}.post_attention_layernorm")
                .layer("blocks.{}.feedForward.input", "h.{}.mlp.dense_h_to_4h")
                .layer("blocks.{}.feedForward.output", "h.{}.mlp.dense_4h_to_h")
                .layer("final.norm", "ln_f");
    }
}
