package io.rlhf4j.driver.scaling;

/**
 * What a rank works on in an iteration.
 *
 * @param sequences of a rank
 * @param promptTokens of each
 * @param newTokens of each
 */
public record Load(int sequences, int promptTokens, int newTokens) {
    /** Tokens of a rank, prompts included. */
    double tokens() {
        return (double) sequences * (promptTokens + newTokens);
    }

    /** Tokens of the sequences when half of their answers is there. */
    double meanTokens() {
        return sequences * (promptTokens + newTokens / 2.0);
    }
}
