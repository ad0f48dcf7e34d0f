package io.rlhf4j.tokenizer;

/**
 * A tokenised text; all arrays have one entry a token.
 *
 * @param ids token ids
 * @param tokens tokens as the vocabulary writes them
 * @param starts where the token begins in the text, in Unicode code points
 * @param ends where it ends (exclusive), in Unicode code points; 0 and 0 for a token that was added
 * @param special whether the token was added by the tokenizer and is not in the text
 */
public record Encoding(int[] ids, String[] tokens, int[] starts, int[] ends, boolean[] special) {}
