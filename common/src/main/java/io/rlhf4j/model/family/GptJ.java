package io.rlhf4j.model.family;

import io.rlhf4j.model.TransformerConfig;
import io.rlhf4j.model.TransformerConfig.Attention;
import io.rlhf4j.model.TransformerConfig.BlockLayout;
import io.rlhf4j.model.TransformerConfig.Embedding;
import io.rlhf4j.model.TransformerConfig.FeedForward;
import io.rlhf4j.model.TransformerConfig.Head;
import io.rlhf4j.model.TransformerConfig.Norm;

/** GPT-J (Wang and Komatsuzaki 2021): interleaved rotary embedding, one norm a block, a head with a bias. */
final class GptJ implements ModelFamily {
    @Override
    public String modelType() {
        return "gptj";
    }

    @Override
    public String causalClass() {
        return "GPTJForCausalLM";
    }

    @Override
    public String scoreClass() {
        return "GPTJForSequenceClassification";
    }

    @Override
    public TransformerConfig config(HubConfig json) {
        int hidden = json.integer(4096, "n_embd", "hidden_size");
        int heads = json.integer(16, "n_head", "num_attention_heads");
        int headDim = hidden / heads;
        int rotaryDimensions = json.integer(json.has("rotary_dim") ? headDim : 64, "rotary_dim");
        RotarySettings rotary = new RotarySettings(json);
        int positions = json.integer(2048, "n_positions", "max_position_embeddings");
        return new TransformerConfig(
                json.integer(50400, "vocab_size"),
                hidden,
                new Embedding(hidden, 1f, false),
                rotary.encoding(rotaryDimensions, true, positions),
                rotary.longest(positions),
                new Attention(heads, heads, headDim, (float) (1 / Math.sqrt(headDim)), 0f, false, false, false),
                TransformerConfig.sameWindow(json.integer(28, "n_layer", "num_hidden_layers"), 0),
                new FeedForward(
                        json.integer(4 * hidden, "n_inner"),
                        json.activation("gelu_new", "activation_function"),
                        false,
                        true),
                new Norm(Norm.Kind.LAYER, (float) json.number(1e-5, "layer_norm_epsilon"), 0f),
                BlockLayout.PARALLEL,
                true,
                new Head(json.flag(false, "tie_word_embeddings"), true, 0f),
                json.number(0.02, "initializer_range"));
    }

    @Override
    public WeightNames weightNames() {
        return WeightNames.under("transformer.")
                .layer("embedding.tokens", "wte")
                .layer("blocks.{}.attention.norm", "h.{}.ln_1")
                .queriesKeysValues("h.{}.attn.q_proj", "h.{}.attn.k_proj", "h.{}.attn.v_proj")
                .layer("blocks.{}.attention.output", "h.{}.attn.out_proj")
                .layer("blocks.{}.feedForward.input", "h.{}.mlp.fc_in")
                .layer("blocks.{}.feedForward.output", "h.{}.mlp.fc_out")
                .layer("final.norm", "ln_f")
                .ignore("h\\.\\d+\\.attn\\.(bias|masked_bias|embed_positions)");
    }
}
