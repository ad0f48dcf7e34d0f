package io.rlhf4j.config;

import java.util.Optional;

/** Hugging Face model directories that a run starts from. Actor and reward model share a vocabulary, nothing else. */
public record ModelsConfig(
        @Doc(
                        value = "Directory of the pretrained causal language model that becomes the chat model.",
                        preset = Doc.REQUIRED)
                String actor,
        @Doc("Directory of the model that becomes the reward model: a causal language model, whose head is replaced, or"
                        + " a sequence classifier with one label. The actor's when absent.")
                Optional<String> reward,
        @Doc("Directory of the tokenizer. The actor's when absent.") Optional<String> tokenizer,
        @Doc("File of a chat template (Jinja) in the place of the tokenizer's own.") Optional<String> chatTemplate) {

    /** Where the reward model starts. */
    public String rewardOrActor() {
        return reward.orElse(actor);
    }

    /** Where the tokenizer lies. */
    public String tokenizerOrActor() {
        return tokenizer.orElse(actor);
    }
}
