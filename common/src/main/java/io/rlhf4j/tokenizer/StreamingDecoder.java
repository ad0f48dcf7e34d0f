package io.rlhf4j.tokenizer;

import java.util.Arrays;

/**
 * Turns tokens that arrive one by one into text. The pieces joined are the text of all tokens; no piece ends within a
 * character. For one stream, in one thread.
 *
 * <p>A token's text depends on its neighbours (a character may be spread over several tokens; some decoders drop the first
 * space), so a piece is what the decoded text has more than before. U+FFFD at its end may still become a character and is
 * kept back.
 */
public final class StreamingDecoder {
    private static final char INCOMPLETE = '\ufffd';
    /** Tokens decoded together; when there are more, all but the last few are forgotten. */
    private static final int WINDOW = 64;

    private static final int CONTEXT = 6;

    private final Tokenizer tokenizer;
    private final boolean skipSpecial;
    private int[] tokens = new int[WINDOW];
    private int length;
    /** What is out of the window's text. */
    private String emitted = "";

    StreamingDecoder(Tokenizer tokenizer, boolean skipSpecial) {
        this.tokenizer = tokenizer;
        this.skipSpecial = skipSpecial;
    }

    /** The text that is certain now that {@code id} has come; often empty while a character is incomplete. */
    public String add(int id) {
        if (length == tokens.length) {
            tokens = Arrays.copyOf(tokens, 2 * length);
        }
        tokens[length++] = id;
        String text = decode(0);
        int end = text.length();
        while (end > 0 && text.charAt(end - 1) == INCOMPLETE) {
            end--;
        }
        if (end < emitted.length() || !text.startsWith(emitted)) {
            return "";
        }
        String piece = text.substring(emitted.length(), end);
        emitted = text.substring(0, end);
        if (length >= WINDOW && end == text.length()) {
            forget();
        }
        return piece;
    }

    /** What is left at the end; bytes that are no character become U+FFFD. The decoder is then as new. */
    public String finish() {
        String text = decode(0);
        // Some decoders turn a whole run of bytes to U+FFFD because of its last one; what is out cannot be taken back.
        String rest = text.startsWith(emitted) ? text.substring(emitted.length()) : String.valueOf(INCOMPLETE);
        length = 0;
        emitted = "";
        return rest;
    }

    private void forget() {
        String context = decode(length - CONTEXT);
        if (context.indexOf(INCOMPLETE) < 0 && emitted.endsWith(context.stripLeading())) {
            System.arraycopy(tokens, length - CONTEXT, tokens, 0, CONTEXT);
            length = CONTEXT;
            emitted = context;
        }
    }

    private String decode(int from) {
        return tokenizer.decode(Arrays.copyOfRange(tokens, from, length), skipSpecial);
    }
}
