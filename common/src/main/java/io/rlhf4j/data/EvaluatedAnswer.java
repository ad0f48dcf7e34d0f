package io.rlhf4j.data;

import java.io.Serializable;
import java.util.LinkedHashMap;

/**
 * An answer to a held-out prompt, and what it is worth.
 *
 * @param source of the prompt
 * @param key of the prompt within its source
 * @param prompt its text
 * @param answer its text
 * @param numbers what was measured, by name
 */
public record EvaluatedAnswer(
        String source, String key, String prompt, String answer, LinkedHashMap<String, Double> numbers)
        implements Serializable {}
