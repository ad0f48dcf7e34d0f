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

/**
 * What the families that descend from LLaMA have in common: RMS norm before, rotary embedding, a gated feed-forward. The
 * numbers given are those that hold where config.json is silent.
 */
final class GatedDecoder {
    private final HubConfig json;
    private int vocabSize;
    private int hiddenSize;
    private int innerSize;
    private int layers;
    private int heads;
    private int missingKeyValueHeads;
    private int missingHeadDim;
    private int missingMaxPositions;
    private boolean inputBias;
    private boolean outputBias;
    private boolean feedForwardBias;
    private boolean headNorms;
    private List<Integer> windows;

    GatedDecoder(HubConfig json) {
        this.json = json;
    }

    GatedDecoder sizes(int missingVocab, int missingHidden, int missingInner, int missingLayers, int missingHeads) {
        vocabSize = json.integer(missingVocab, "vocab_size");
        hiddenSize = json.integer(missingHidden, "hidden_size");
        innerSize = json.integer(missingInner, "intermediate_size");
        layers = json.integer(missingLayers, "num_hidden_layers");
        heads = json.integer(missingHeads, "num_attention_heads");
        missingKeyValueHeads = heads;
        missingHeadDim = hiddenSize / heads;
        windows = TransformerConfig.sameWindow(layers, 0);
        return this;
    }

    int layers() {
        return layers;
    }

    /** Key and value heads where the key is missing; null stands for as many as there are query heads. */
    GatedDecoder keyValueHeads(int missing) {
        missingKeyValueHeads = json.has("num_key_value_heads") ? heads : missing;
        return this;
    }

    GatedDecoder headDim(int missing) {
        missingHeadDim = json.has("head_dim") ? missingHeadDim : missing;
        return this;
    }

    GatedDecoder maxPositions(int missing) {
        missingMaxPositions = missing;
        return this;
    }

    GatedDecoder biases(boolean input, boolean output, boolean feedForward) {
        inputBias = input;
        outputBias = output;
        feedForwardBias = feedForward;
        return this;
    }

    GatedDecoder headNorms() {
        headNorms = true;
        return this;
    }

    GatedDecoder windows(List<Integer> ofLayers) {
        windows = ofLayers;
        return this;
    }

    /** Qwen's windows: none unless asked for, and then in the layers that {@code layer_types} names, or in the upper ones. */
    List<Integer> windowsOfUpperLayers() {
        int window = json.flag(false, "use_sliding_window") ? json.integer(4096, "sliding_window") : 0;
        int full = json.integer(28, "max_window_layers");
        List<String> kinds = json.layerTypes(layers);
        List<Integer> result = new ArrayList<>();
        for (int layer = 0; layer < layers; layer++) {
            boolean sliding = kinds.isEmpty() ? layer >= full : kinds.get(layer).equals("sliding_attention");
            result.add(sliding ? window : 0);
        }
        return result;
    }

    TransformerConfig build() {
        int headDim = json.integer(missingHeadDim, "head_dim");
        int positions = json.integer(missingMaxPositions, "max_position_embeddings");
        RotarySettings rotary = new RotarySettings(json);
        return new TransformerConfig(
                vocabSize,
                hiddenSize,
                new Embedding(hiddenSize, 1f, false),
                rotary.encoding(headDim, false, positions),
                rotary.longest(positions),
                new Attention(
                        heads,
                        json.integer(missingKeyValueHeads, "num_key_value_heads"),
                        headDim,
                        (float) (1 / Math.sqrt(headDim)),
                        0f,
                        inputBias,
                        outputBias,
                        headNorms),
                windows,
                new FeedForward(innerSize, json.activation("silu", "hidden_act"), true, feedForwardBias),
                new Norm(Norm.Kind.RMS, (float) json.number(1e-6, "rms_norm_eps"), 0f),
                BlockLayout.PRE_NORM,
                true,
                new Head(json.flag(false, "tie_word_embeddings"), false, 0f),
                json.number(0.02, "initializer_range"));
    }

    static WeightNames weightNames() {
        String attention = "layers.{}.self_attn.";
        return WeightNames.under("model.")
                .layer("embedding.tokens", "embed_tokens")
                .layer("blocks.{}.attention.norm", "layers.{}.input_layernorm")
                .queriesKeysValues(attention + "q_proj", attention + "k_proj", attention + "v_proj")
                .layer("blocks.{}.attention.output", attention + "o_proj")
                .layer("blocks.{}.feedForward.norm", "layers.{}.post_attention_layernorm")
                .gateAndUp("layers.{}.mlp.gate_proj", "layers.{}.mlp.up_proj")
                .layer("blocks.{}.feedForward.output", "layers.{}.mlp.down_proj")
                .layer("final.norm", "norm")
                .ignore("layers\\.\\d+\\.self_attn\\.rotary_emb\\.inv_freq");
    }
}
