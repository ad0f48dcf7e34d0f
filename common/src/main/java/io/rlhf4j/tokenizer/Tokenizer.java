package io.rlhf4j.tokenizer;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import io.rlhf4j.error.Rlhf4jException;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
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
    private final HuggingFaceTokenizer library;
    private final Vocabulary vocabulary;
    private final Map<String, String> specialTokens;
    private final Map<String, ChatTemplate> chatTemplates;

    private Tokenizer(
            HuggingFaceTokenizer library,
            Vocabulary vocabulary,
            Map<String, String> specialTokens,
            Map<String, ChatTemplate> chatTemplates) {
        this.library = library;
        this.vocabulary = vocabulary;
        this.specialTokens = specialTokens;
        this.chatTemplates = chatTemplates;
    }

    /**
     * Reads the tokenizer of a model directory.
     *
     * @throws Rlhf4jException of kind DATA where a file is missing or damaged
     */
    public static Tokenizer load(Path directory, Configuration configuration) throws IOException {
        TokenizerFiles files = TokenizerFiles.read(directory, configuration);
        String origin = new Path(directory, TokenizerFiles.TOKENIZER).toString();
        Vocabulary vocabulary = Vocabulary.read(origin, files.tokenizerJson());
        Map<String, ChatTemplate> templates = new LinkedHashMap<>();
        files.chatTemplates()
                .forEach((name, source) -> templates.put(
                        name,
                        ChatTemplate.parse(
                                "%s: chat template '%s'".formatted(directory, name), source, files.specialTokens())));
        return new Tokenizer(
                NativeTokenizers.open(origin, files.tokenizerJson()), vocabulary, files.specialTokens(), templates);
    }

    /** Token ids of a text; {@code addSpecial} adds what the tokenizer puts around a text, such as BOS. */
    public int[] ids(String text, boolean addSpecial) {
        return toInts(library.encode(wellFormed(text), addSpecial, false).getIds());
    }

    /** A text as tokens, with where each comes from. */
    public Encoding encode(String text, boolean addSpecial) {
        ai.djl.huggingface.tokenizers.Encoding encoding = library.encode(wellFormed(text), addSpecial, false);
        CharSpan[] spans = encoding.getCharTokenSpans();
        int[] starts = new int[spans.length];
        int[] ends = new int[spans.length];
        boolean[] special = new boolean[spans.length];
        for (int i = 0; i < spans.length; i++) {
            if (spans[i] != null) {
                starts[i] = spans[i].getStart();
                ends[i] = spans[i].getEnd();
            }
            special[i] = encoding.getSpecialTokenMask()[i] != 0;
        }
        return new Encoding(toInts(encoding.getIds()), encoding.getTokens(), starts, ends, special);
    }

    /** The text of {@code ids}; {@code skipSpecial} leaves out special tokens. */
    public String decode(int[] ids, boolean skipSpecial) {
        if (ids.length == 0) {
            return "";
        }
        return library.decode(Arrays.stream(ids).asLongStream().toArray(), skipSpecial);
    }

    /** A decoder for tokens that come one after the other. */
    public StreamingDecoder streamingDecoder(boolean skipSpecial) {
        return new StreamingDecoder(this, skipSpecial);
    }

    /** One more than the largest id, added tokens included. */
    public int vocabularySize() {
        return vocabulary.size();
    }

    /** The id of exactly this token; empty where the vocabulary has none. */
    public OptionalInt idOf(String token) {
        return vocabulary.idOf(token);
    }

    /** The token of beginnings. */
    public OptionalInt bosId() {
        return special("bos_token");
    }

    /** The token of endings. */
    public OptionalInt eosId() {
        return special("eos_token");
    }

    /** The token that fills up rows; may be the same as EOS. */
    public OptionalInt padId() {
        return special("pad_token");
    }

    /** The chat template called "default", where the model has one. */
    public Optional<ChatTemplate> chatTemplate() {
        return chatTemplate(TokenizerFiles.DEFAULT_TEMPLATE);
    }

    /** The chat template of that name (for example "tool_use"), where the model has several. */
    public Optional<ChatTemplate> chatTemplate(String name) {
        return Optional.ofNullable(chatTemplates.get(name));
    }

    /**
     * A template that does not come with the tokenizer, with this tokenizer's special tokens.
     *
     * @param file what messages call it
     * @param source in Jinja
     */
    public ChatTemplate withTemplate(String file, String source) {
        return ChatTemplate.parse(file, source, specialTokens);
    }

    private OptionalInt special(String role) {
        String token = specialTokens.get(role);
        return token == null ? OptionalInt.empty() : vocabulary.idOf(token);
    }

    /** A text whose halves of surrogate pairs without the other half, which UTF-8 cannot write, are U+FFFD. */
    private static String wellFormed(String text) {
        if (text.chars().noneMatch(unit -> Character.isSurrogate((char) unit))) {
            return text;
        }
        StringBuilder wellFormed = new StringBuilder(text.length());
        text.codePoints()
                .map(point -> point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE ? 0xfffd : point)
                .forEach(wellFormed::appendCodePoint);
        return wellFormed.toString();
    }

    private static int[] toInts(long[] ids) {
        return Arrays.stream(ids).mapToInt(Math::toIntExact).toArray();
    }

    @Override
    public void close() {
        library.close();
    }
}
