package io.rlhf4j.model.family;

import io.rlhf4j.model.TransformerConfig;

/** Qwen 3 (Yang et al. 2025): LLaMA with a norm for every query and key head. */
final class Qwen3 implements ModelFamily {
    @Override
    public String modelType() {
        return "qwen3";
    }

    @Override
    public String causalClass() {
        return "Qwen3ForCausalLM";
    }

    @Override
    public String scoreClass() {
        return "Qwen3ForSequenceClassification";
    }

    @Override
    public TransformerConfig config(HubConfig json) {
        boolean bias = json.flag(false, "attention_bias");
        GatedDecoder decoder = new GatedDecoder(json)
                .sizes(151936, 4096, 22016, 32, 32)
                .keyValueHeads(32)
                .headDim(128)
                .maxPositions(32768)
                .biases(bias, bias, false)
                .headNorms();
        return decoder.windows(decoder.windowsOfUpperLayers()).build();
    }

    @Override
    public WeightNames weightNames() {
        return GatedDecoder.weightNames()
                .layer("blocks.{}.attention.queryNorm", "layers.{}.self_attn.q_norm")
                .layer("blocks.{}.attention.keyNorm", "layers.{}.self_attn.k_norm");
    }
}
