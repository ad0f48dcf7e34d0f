package io.rlhf4j.generation;

import io.rlhf4j.tokenizer.StreamingDecoder;
import java.util.List;
import java.util.function.Supplier;

/**
 * Texts that end a sample. They are looked for in decoded text, because a tokenizer may write them in several ways.
 *
 * @param texts the texts
 * @param decoders makes a decoder for a new sample
 */
public record StopTexts(List<String> texts, Supplier<StreamingDecoder> decoders) {
    /** No stop texts. */
    public static final StopTexts NONE = new StopTexts(List.of(), () -> {
        throw new IllegalStateException("nothing to look for");
    });

    public StopTexts {
        texts = List.copyOf(texts);
    }

    /** What looks for the texts in one sample, token by token. */
    final class Search {
        private final StreamingDecoder decoder = texts.isEmpty() ? null : decoders.get();
        private final StringBuilder tail = new StringBuilder();

        /** Whether a stop text is complete with this token. */
        boolean completedBy(int token) {
            if (decoder == null) {
                return false;
            }
            int before = tail.length();
            tail.append(decoder.add(token));
            // A text that was complete before does not count: it came where a sample might not end yet.
            boolean found =
                    texts.stream().anyMatch(text -> tail.indexOf(text, Math.max(0, before - text.length() + 1)) >= 0);
            int keep = texts.stream().mapToInt(String::length).max().orElse(0);
            tail.delete(0, Math.max(0, tail.length() - keep));
            return found;
        }
    }
}
