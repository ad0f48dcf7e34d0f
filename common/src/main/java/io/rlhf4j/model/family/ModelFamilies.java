package io.rlhf4j.model.family;

import io.rlhf4j.error.Rlhf4jException;
import java.util.List;
import java.util.stream.Collectors;

/** All model families. */
public final class ModelFamilies {
    private static final List<ModelFamily> ALL = List.of(
            new Bloom(),
            new Gemma2(),
            new Gpt2(),
            new GptJ(),
            new GptNeo(),
            new GptNeoX(),
            new Llama(),
            new Mistral(),
            new Opt(),
            new Phi(),
            new Qwen2(),
            new Qwen3());

    private ModelFamilies() {}

    /**
     * The family of a config.json.
     *
     * @throws Rlhf4jException of kind CONFIGURATION where there is none of its {@code model_type}
     */
    public static ModelFamily of(HubConfig json) {
        String type = json.text("", "model_type");
        return ALL.stream()
                .filter(family -> family.modelType().equals(type))
                .findFirst()
                .orElseThrow(() -> json.refusal("model_type '%s' is of no known family; known are %s"
                        .formatted(
                                type, ALL.stream().map(ModelFamily::modelType).collect(Collectors.joining(", ")))));
    }
}
