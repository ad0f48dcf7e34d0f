package io.rlhf4j.reward;

/** Answers for tests. */
final class Answers {
    private Answers() {}

    static Answer of(String prompt, String response, String reference) {
        return new Answer("row-1", "test", prompt, response, reference, new int[] {1, 2}, new int[] {3, 4, 5}, true);
    }
}
