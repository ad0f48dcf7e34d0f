package io.rlhf4j.model.family;

import io.rlhf4j.model.TransformerConfig;

/** A model architecture as Hugging Face publishes it. */
public interface ModelFamily {
    /** {@code model_type} in config.json. */
    String modelType();

    /** The class of transformers that holds its causal language model. */
    String causalClass();

    /** The class of transformers that holds its sequence classifier: reward models and critics are saved as one. */
    String scoreClass();

    /** What config.json describes; a key that is missing has the default that transformers gives it. */
    TransformerConfig config(HubConfig json);

    /** Names of its tensors. */
    WeightNames weightNames();
}
