package io.rlhf4j.tokenizer;

/**
 * Turns tokens that arrive one by one into text. The pieces joined are the text of all tokens; no piece ends within a
 * character. For one stream, in one thread.
 */
public final class StreamingDecoder {
    /** The text that is certain now that {@code id} has come; often empty while a character is incomplete. */
    public String add(int id) {
        throw new UnsupportedOperationException("" + id);
    }

    /** What is left at the end; bytes that are no character become U+FFFD. */
    public String finish() {
        throw new UnsupportedOperationException();
    }
}
