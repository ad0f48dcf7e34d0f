package io.rlhf4j.reward;

/**
 * An answer that is known to be good or bad.
 *
 * @param prompt the prompt's text
 * @param response the answer's text
 * @param label from 0 (bad) to 1 (good)
 */
public record LabelledText(String prompt, String response, double label) {}
