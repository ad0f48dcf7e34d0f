package io.rlhf4j.sampling;

import java.util.Arrays;

/** The tokens of one sample so far, prompt first: what processors look back on. */
public final class TokenHistory {
    private int[] ids;
    private int length;
    private final int promptLength;

    public TokenHistory(int[] promptIds, int room) {
        ids = Arrays.copyOf(promptIds, promptIds.length + room);
        length = promptIds.length;
        promptLength = promptIds.length;
    }

    public void add(int id) {
        if (length == ids.length) {
            ids = Arrays.copyOf(ids, 2 * length + 1);
        }
        ids[length++] = id;
    }

    /** Token {@code index}, counted from the prompt's beginning. */
    public int get(int index) {
        return ids[index];
    }

    public int length() {
        return length;
    }

    /** Tokens after the prompt. */
    public int newTokens() {
        return length - promptLength;
    }
}
