package io.rlhf4j.driver.chat;

import io.rlhf4j.config.SamplingConfig;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.generation.Generation;
import io.rlhf4j.generation.GenerationRequest;
import io.rlhf4j.generation.Generator;
import io.rlhf4j.generation.StopTexts;
import io.rlhf4j.generation.TokenListener;
import io.rlhf4j.hub.EndTokens;
import io.rlhf4j.hub.ModelDirectory;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.sampling.RandomStream;
import io.rlhf4j.tensor.Backends;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tokenizer.ChatTemplate;
import io.rlhf4j.tokenizer.StreamingDecoder;
import io.rlhf4j.tokenizer.Tokenizer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** A model directory that answers: weights, tokenizer, chat template and end tokens together. One thread uses it. */
public final class ChatModel implements AutoCloseable {
    private final Path directory;
    private final Scope scope;
    private final CausalLanguageModel model;
    private final Tokenizer tokenizer;
    private final int[] endTokens;

    private ChatModel(Path directory, Scope scope, CausalLanguageModel model, Tokenizer tokenizer, int... endTokens) {
        this.directory = directory;
        this.scope = scope;
        this.model = model;
        this.tokenizer = tokenizer;
        this.endTokens = endTokens;
    }

    /**
     * Loads a model directory.
     *
     * @param backend chosen for this machine
     * @param type of the weights
     * @throws Rlhf4jException where the directory cannot be used; kind and message say why
     */
    public static ChatModel load(Path directory, Backends.Choice backend, DType type, Configuration hadoop)
            throws IOException {
        Tokenizer tokenizer = Tokenizer.load(directory, hadoop);
        Scope scope = Scope.root(backend.backend(), "chat");
        try {
            CausalLanguageModel model = new ModelDirectory(hadoop).loadCausal(directory, scope, type);
            if (tokenizer.vocabularySize() > model.config().vocabSize()) {
                throw Rlhf4jException.configuration(
                        "%s: the tokenizer has %d tokens, the model %d; is it of this model?"
                                .formatted(
                                        directory,
                                        tokenizer.vocabularySize(),
                                        model.config().vocabSize()));
            }
            return new ChatModel(directory, scope, model, tokenizer, EndTokens.of(directory, tokenizer, hadoop));
        } catch (RuntimeException | IOException e) {
            scope.close();
            tokenizer.close();
            throw e;
        }
    }

    /** Whether the model has a chat template. */
    public boolean hasTemplate() {
        return tokenizer.chatTemplate().isPresent();
    }

    /** The tokens of a plain text. */
    public int[] promptIds(String text) {
        return tokenizer.ids(text, true);
    }

    /**
     * The tokens of a conversation, up to where the next answer begins.
     *
     * @throws Rlhf4jException of kind CONFIGURATION where the model has no chat template
     */
    public int[] promptIds(List<Map<String, String>> messages) {
        ChatTemplate template = tokenizer
                .chatTemplate()
                .orElseThrow(() -> Rlhf4jException.configuration(
                        "%s has no chat template; use `generate --plain`, or give the directory a chat_template.jinja"
                                .formatted(directory)));
        return tokenizer.ids(template.render(messages, true), false);
    }

    /**
     * Answers prompts, many at a time.
     *
     * @param prompts token ids
     * @param stream number i of it belongs to prompt i
     */
    public List<Generation> answer(List<int[]> prompts, SamplingConfig sampling, RandomStream stream) {
        return answer(prompts, sampling, stream, TokenListener.NONE);
    }

    /** The same; {@code listener} is told every token and may throw to end the work. */
    public List<Generation> answer(
            List<int[]> prompts, SamplingConfig sampling, RandomStream stream, TokenListener listener) {
        List<GenerationRequest> requests = new ArrayList<>();
        for (int i = 0; i < prompts.size(); i++) {
            requests.add(GenerationRequest.of(requireRoom(prompts.get(i)), stream.at(i)));
        }
        return generator(sampling).generate(scope, requests, listener).stream()
                .map(samples -> samples.get(0))
                .toList();
    }

    /**
     * Answers one prompt and tells the text as it comes.
     *
     * @param listener is given each piece of text as soon as it is certain
     * @return the whole answer
     */
    public String answer(int[] prompt, SamplingConfig sampling, RandomStream stream, Consumer<String> listener) {
        StreamingDecoder decoder = tokenizer.streamingDecoder(true);
        List<GenerationRequest> requests = List.of(GenerationRequest.of(requireRoom(prompt), stream));
        List<List<Generation>> answers = generator(sampling)
                .generate(scope, requests, (request, sample, token) -> listener.accept(decoder.add(token)));
        listener.accept(decoder.finish());
        return text(answers.get(0).get(0));
    }

    /** The text of an answer, without special tokens. */
    public String text(Generation generation) {
        return tokenizer.decode(generation.ids(), true);
    }

    private Generator generator(SamplingConfig sampling) {
        return new Generator(
                model, sampling, endTokens, new StopTexts(sampling.stop(), () -> tokenizer.streamingDecoder(true)));
    }

    private int[] requireRoom(int... prompt) {
        int limit = model.config().maxPositions();
        if (limit > 0 && prompt.length >= limit) {
            throw Rlhf4jException.data(
                    "the prompt has %d tokens, the model's context %d; shorten it".formatted(prompt.length, limit));
        }
        if (prompt.length == 0) {
            throw Rlhf4jException.data("the prompt has no token; say something");
        }
        return prompt;
    }

    @Override
    public void close() {
        scope.close();
        tokenizer.close();
    }
}
