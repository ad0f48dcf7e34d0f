package io.rlhf4j.model;

/**
 * Where a model came from, for saving it in the same form.
 *
 * @param modelType {@code model_type} of its config.json: the family
 * @param configJson the text of its config.json
 * @param directory the Hugging Face directory with its tokenizer and other companions, as text of a Hadoop path; null when
 *     there is none
 */
public record ModelSource(String modelType, String configJson, String directory) {}
