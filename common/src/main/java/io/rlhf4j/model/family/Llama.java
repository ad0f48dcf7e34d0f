package io.rlhf4j.model.family;

import io.rlhf4j.model.TransformerConfig;

/** LLaMA 1 to 3 and what shares its form (Touvron et al. 2023): RMS norm, rotary embedding, grouped heads, SwiGLU. */
final class Llama implements ModelFamily {
    @Override
    public String modelType() {
        return "llama";
    }

    @Override
    public String causalClass() {
        return "LlamaForCausalLM";
    }

    @Override
    public String scoreClass() {
        return "LlamaForSequenceClassification";
    }

    @Override
    public TransformerConfig config(HubConfig json) {
        boolean bias = json.flag(false, "attention_bias");
        return new GatedDecoder(json)
                .sizes(32000, 4096, 11008, 32, 32)
                .maxPositions(2048)
                .biases(bias, bias, json.flag(false, "mlp_bias"))
                .build();
    }

    @Override
    public WeightNames weightNames() {
        return GatedDecoder.weightNames();
    }
}
