package io.rlhf4j.data;

import java.io.Serializable;

/**
 * Two answers to one prompt, one preferred (step 2).
 *
 * @param key the row's stable name within its source
 * @param source the source's name
 * @param chosen [chosenLength] tokens of prompt and preferred answer, with EOS
 * @param rejected [rejectedLength] tokens of the same prompt and the other answer, with EOS
 * @param promptLength tokens of the prompt, the same in both
 * @param margin by how much the preferred score should exceed the other (Llama 2, eq. 2); 0 usually
 */
public record PreferenceRow(String key, String source, int[] chosen, int[] rejected, int promptLength, float margin)
        implements TokenRow, Serializable {
    @Override
    public int tokens() {
        return chosen.length + rejected.length;
    }
}
