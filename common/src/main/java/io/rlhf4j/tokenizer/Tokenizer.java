package io.rlhf4j.tokenizer;

import java.io.IOException;
import java.util.Optional;
import java.util.OptionalInt;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * The tokenizer of a model directory: {@code tokenizer.json}, with what {@code tokenizer_config.json}, {@code
 * special_tokens_map.json} and {@code chat_template.jinja} add. Never truncates, never pads, never uses the network. May
 * be used by several threads at once.
 */
public final class Tokenizer implements AutoCloseable {
    /**
     * Reads the tokenizer of a model directory.
     *
     * @throws io.rlhf4j.error.Rlhf4jException of kind DATA where a file is missing or damaged
     */
    public static Tokenizer load(Path directory, Configuration configuration) throws IOException {
        throw new UnsupportedOperationException(directory + " " + configuration);
    }

    /** Token ids of a text; {@code addSpecial} adds what the tokenizer puts around a text, such as BOS. */
    public int[] ids(String text, boolean addSpecial) {
        throw new UnsupportedOperationException(text + addSpecial);
    }

    /** A text as tokens, with where each comes from. */
    public Encoding encode(String text, boolean addSpecial) {
        throw new UnsupportedOperationException(text + addSpecial);
    }

    /** The text of {@code ids}; {@code skipSpecial} leaves out special tokens. */
    public String decode(int[] ids, boolean skipSpecial) {
        throw new UnsupportedOperationException(ids.length + " " + skipSpecial);
    }

    /** A decoder for tokens that come one after the other. */
    public StreamingDecoder streamingDecoder(boolean skipSpecial) {
        throw new UnsupportedOperationException("" + skipSpecial);
    }

    /** One more than the largest id, added tokens included. */
    public int vocabularySize() {
        throw new UnsupportedOperationException();
    }

    /** The id of exactly this token; empty where the vocabulary has none. */
    public OptionalInt idOf(String token) {
        throw new UnsupportedOperationException(token);
    }

    /** The token of beginnings. */
    public OptionalInt bosId() {
        throw new UnsupportedOperationException();
    }

    /** The token of endings. */
    public OptionalInt eosId() {
        throw new UnsupportedOperationException();
    }

    /** The token that fills up rows; may be the same as EOS. */
    public OptionalInt padId() {
        throw new UnsupportedOperationException();
    }

    /** The chat template called "default", where the model has one. */
    public Optional<ChatTemplate> chatTemplate() {
        throw new UnsupportedOperationException();
    }

    /** The chat template of that name (for example "tool_use"), where the model has several. */
    public Optional<ChatTemplate> chatTemplate(String name) {
        throw new UnsupportedOperationException(name);
    }

    @Override
    public void close() {}
}
