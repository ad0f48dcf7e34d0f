package io.rlhf4j.data;

import java.io.Serializable;

/**
 * A text to learn (step 1, and the unlabelled text of PPO-ptx).
 *
 * @param key the row's stable name within its source
 * @param source the source's name
 * @param ids [length] tokens of prompt and response, with special tokens and EOS
 * @param trained [length] whether the loss asks for this token: responses with their EOS, not prompts; all of an
 *     unlabelled text. The first token is never predicted
 */
public record TrainingRow(String key, String source, int[] ids, boolean[] trained) implements TokenRow, Serializable {
    public TrainingRow {
        if (ids.length != trained.length) {
            throw new IllegalArgumentException(
                    "row %s: %d tokens, a mask of %d".formatted(key, ids.length, trained.length));
        }
    }

    @Override
    public int tokens() {
        return ids.length;
    }

    /** How many tokens the loss asks for. */
    public int trainedTokens() {
        int count = 0;
        for (boolean each : trained) {
            count += each ? 1 : 0;
        }
        return count;
    }
}
