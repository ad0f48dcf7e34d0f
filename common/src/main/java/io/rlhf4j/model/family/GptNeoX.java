package io.rlhf4j.model.family;

import io.rlhf4j.model.TransformerConfig;
import io.rlhf4j.model.TransformerConfig.Attention;
import io.rlhf4j.model.TransformerConfig.BlockLayout;
import io.rlhf4j.model.TransformerConfig.Embedding;
import io.rlhf4j.model.TransformerConfig.FeedForward;
import io.rlhf4j.model.TransformerConfig.Head;
import io.rlhf4j.model.TransformerConfig.Norm;

/** GPT-NeoX and Pythia (Black et al. 2022): partial rotary embedding, attention and feed-forward side by side. */
final class GptNeoX implements ModelFamily {
    @Override
    public String modelType() {
        return "gpt_neox";
    }

    @Override
    public String causalClass() {
        return "GPTNeoXForCausalLM";
    }

    @Override
    public String scoreClass() {
        return "GPTNeoXForSequenceClassification";
    }

    @Override
    public TransformerConfig config(HubConfig json) {
        int hidden = json.integer(6144, "hidden_size");
        int heads = json.integer(64, "num_attention_heads");
        int headDim = hidden / heads;
        boolean bias = json.flag(true, "attention_bias");
        int positions = json.integer(2048, "max_position_embeddings");
        RotarySettings rotary = new RotarySettings(json);
        return new TransformerConfig(
                json.integer(50432, "vocab_size"),
                hidden,
                new Embedding(hidden, 1f, false),
                rotary.encoding(rotary.dimensions(headDim, 0.25), false, positions),
                rotary.longest(positions),
                new Attention(heads, heads, headDim, (float) (1 / Math.sqrt(headDim)), 0f, bias, bias, false),
                TransformerConfig.sameWindow(json.integer(44, "num_hidden_layers"), 0),
                new FeedForward(
                        json.integer(24576, "intermediate_size"), json.activation("gelu", "hidden_act"), false, true),
                new Norm(Norm.Kind.LAYER, (float) json.number(1e-5, "layer_norm_eps"), 0f),
                json.flag(true, "use_parallel_residual") ? BlockLayout.PARALLEL_TWO_NORMS : BlockLayout.PRE_NORM,
                true,
                new Head(json.flag(false, "tie_word_embeddings"), false, 0f),
                json.number(0.02, "initializer_range"));
    }

    @Override
    public WeightNames weightNames() {
        return WeightNames.under("gpt_neox.")
                .layer("embedding.tokens", "embed_in")
                .layer("blocks.{}.attention.norm", "layers.{}.input_layernorm")
                .interleavedHeads("layers.{}.attention.query_key_value")
                .layer("blocks.{}.attention.output", "layers.{}.attention.dense")
                .layer("blocks.{}.feedForward.norm", "layers.{}.post_attention_layernorm")
                .layer("blocks.{}.feedForward.input", "layers.{}.mlp.dense_h_to_4h")
                .layer("blocks.{}.feedForward.output", "layers.{}.mlp.dense_4h_to_h")
                .layer("final.norm", "final_layer_norm")
                .head("embed_out")
                .ignore("layers\\.\\d+\\.attention\\.(bias|masked_bias|rotary_emb\\.inv_freq)");
    }
}
