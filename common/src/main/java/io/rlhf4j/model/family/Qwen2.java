package io.rlhf4j.model.family;

import io.rlhf4j.model.TransformerConfig;

/** Qwen 2 and 2.5 (Yang et al. 2024): LLaMA with biases at q, k and v. */
final class Qwen2 implements ModelFamily {
    @Override
    public String modelType() {
        return "qwen2";
    }

    @Override
    public String causalClass() {
        return "Qwen2ForCausalLM";
    }

    @Override
    public String scoreClass() {
        return "Qwen2ForSequenceClassification";
    }

    @Override
    public TransformerConfig config(HubConfig json) {
        GatedDecoder decoder = new GatedDecoder(json)
                .sizes(151936, 4096, 22016, 32, 32)
                .keyValueHeads(32)
                .maxPositions(32768)
                .biases(true, false, false);
        return decoder.windows(decoder.windowsOfUpperLayers()).build();
    }

    @Override
    public WeightNames weightNames() {
        return GatedDecoder.weightNames();
    }
}
