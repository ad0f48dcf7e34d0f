package io.rlhf4j.data;

import java.io.Serializable;

/**
 * A prompt to answer (step 3, evaluation).
 *
 * @param key the row's stable name within its source: its samples' random streams follow from it
 * @param source the source's name
 * @param ids [length] the prompt's tokens, ready to be continued
 * @param prompt the prompt's text as it was tokenized
 * @param reference a known right answer for rewards that compare with it; empty where there is none
 */
public record PromptRow(String key, String source, int[] ids, String prompt, String reference)
        implements TokenRow, Serializable {
    @Override
    public int tokens() {
        return ids.length;
    }
}
