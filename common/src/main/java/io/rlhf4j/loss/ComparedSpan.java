package io.rlhf4j.loss;

import java.util.Arrays;

/**
 * The positions at which {@link PairLoss#perToken} compares two answers to one prompt (DeepSpeed-Chat): from their first
 * difference to the end of the longer one. The shorter one is continued with padding there, so that both have a score.
 *
 * @param from first position
 * @param to the position after the last
 */
public record ComparedSpan(int from, int to) {
    /**
     * The span of a pair. Answers that do not differ are compared at the last position of the row alone.
     *
     * @param chosen prompt and chosen answer, without padding
     * @param rejected prompt and rejected answer, without padding
     * @param rowLength length to which rows are padded; the longer one's length where they are not
     */
    public static ComparedSpan of(int[] chosen, int[] rejected, int rowLength) {
        int difference = Arrays.mismatch(chosen, rejected);
        return difference < 0
                ? new ComparedSpan(rowLength - 1, rowLength)
                : new ComparedSpan(difference, Math.max(chosen.length, rejected.length));
    }

    /** How many positions are compared; at least one. */
    public int length() {
        return to - from;
    }
}
