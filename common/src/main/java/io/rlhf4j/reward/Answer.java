package io.rlhf4j.reward;

/**
 * An answer to be judged, as text and as the very tokens that were sampled.
 *
 * @param key the prompt row's stable name within its source
 * @param source the source's name
 * @param prompt the prompt's text
 * @param response the answer's text, without special tokens
 * @param reference a known right answer; empty where there is none
 * @param promptIds [promptLength] token ids
 * @param responseIds [responseLength] token ids, the end token included where it came
 * @param ended whether the answer came to an end by itself; false where it was cut at the limit
 */
public record Answer(
        String key,
        String source,
        String prompt,
        String response,
        String reference,
        int[] promptIds,
        int[] responseIds,
        boolean ended) {}
