package io.rlhf4j.model.family;

import io.rlhf4j.model.TransformerConfig;

/** Mistral (Jiang et al. 2023): LLaMA with a sliding window. */
final class Mistral implements ModelFamily {
    @Override
    public String modelType() {
        return "mistral";
    }

    @Override
    public String causalClass() {
        return "MistralForCausalLM";
    }

    @Override
    public String scoreClass() {
        return "MistralForSequenceClassification";
    }

    @Override
    public TransformerConfig config(HubConfig json) {
        GatedDecoder decoder = new GatedDecoder(json)
                .sizes(32000, 4096, 14336, 32, 32)
                .keyValueHeads(8)
                .maxPositions(131072);
        // A window that is null is none; where the key is missing, the first release's 4096 holds.
        int window = json.integer(json.has("sliding_window") ? 0 : 4096, "sliding_window");
        return decoder.windows(TransformerConfig.sameWindow(decoder.layers(), window))
                .build();
    }

    @Override
    public WeightNames weightNames() {
        return GatedDecoder.weightNames();
    }
}
