package io.rlhf4j.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.SamplingConfig;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.hub.ModelDirectory;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.TokenBatch;
import io.rlhf4j.sampling.RandomStream;
import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.Backends;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GenerationTest {
    private static final int VOCABULARY = 97;
    private static final int[] NO_EOS = {};
    /** Weights of this spread (the usual 0.02 would hardly prefer any token) make distributions far from uniform, so that a fault cannot hide. */
    private static final String SHAPE =
            """
            "vocab_size": 97, "hidden_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2,
            "intermediate_size": 80, "max_position_embeddings": 96, "initializer_range": 0.15, "tie_word_embeddings": false,
            "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0
            """;

    private static final String LLAMA = "{\"model_type\": \"llama\", \"hidden_act\": \"silu\", " + SHAPE + "}";
    private static final String MISTRAL =
            "{\"model_type\": \"mistral\", \"hidden_act\": \"silu\", \"sliding_window\": 6, " + SHAPE + "}";
    private static final String OPT =
            """
            {"model_type": "opt", "vocab_size": 97, "hidden_size": 48, "word_embed_proj_dim": 48, "num_hidden_layers": 2,
             "num_attention_heads": 4, "ffn_dim": 96, "max_position_embeddings": 96, "do_layer_norm_before": true,
             "activation_function": "relu", "init_std": 0.15, "bos_token_id": 2, "eos_token_id": 2, "pad_token_id": 1}
            """;
    private static final String BLOOM =
            """
            {"model_type": "bloom", "vocab_size": 97, "hidden_size": 48, "n_layer": 2, "n_head": 4,
             "initializer_range": 0.15, "layer_norm_epsilon": 1e-5, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 3}
            """;

    @TempDir
    private Path folder;

    private Scope scope;

    Backend backend() {
        return Backends.onClassPath().choose("cpu", 2).backend();
    }

    @BeforeEach
    void open() {
        scope = Scope.root(backend(), "generation");
    }

    @AfterEach
    void close() {
        scope.close();
    }

    private CausalLanguageModel model(String config) throws IOException {
        Files.writeString(folder.resolve("config.json"), config);
        return new ModelDirectory(new Configuration())
                .initialize(new org.apache.hadoop.fs.Path(folder.toUri()), scope, DType.FP32, 7);
    }

    private static SamplingConfig sampling(String settings) {
        return ConfigFile.parse(SamplingConfig.class, "{" + settings + "}");
    }

    private static int[] prompt(int seed, int length) {
        RandomStream stream = RandomStream.of(seed);
        return IntStream.range(0, length).map(i -> stream.below(VOCABULARY, i)).toArray();
    }

    private static GenerationRequest request(int number) {
        return GenerationRequest.of(
                prompt(number, 3 + 5 * number), RandomStream.of(1).at(number));
    }

    private static Generator generator(CausalLanguageModel model, String settings, int... eosIds) {
        return new Generator(model, sampling(settings), eosIds, StopTexts.NONE);
    }

    private Generation only(Generator generator, GenerationRequest request) {
        return generator.generate(scope, List.of(request)).get(0).get(0);
    }

    private static int[] joined(int[] prompt, int[] response) {
        return IntStream.concat(IntStream.of(prompt), IntStream.of(response)).toArray();
    }

    /** Rows whose next tokens are the response's. */
    private static int[] rowsBefore(int prompt, int response) {
        return IntStream.range(prompt - 1, prompt - 1 + response).toArray();
    }

    static Stream<String> families() {
        return Stream.of(LLAMA, MISTRAL, OPT, BLOOM);
    }

    @ParameterizedTest
    @ValueSource(doubles = {1, 0.7})
    void logProbsOfSamplesAreThoseOfTheTrainingForward(double temperature) {
        families().forEach(config -> {
            CausalLanguageModel model = unchecked(config);
            Generator generator = generator(model, "max_new_tokens: 24, temperature: " + temperature, NO_EOS);
            GenerationRequest request = request(3);
            Generation sample = only(generator, request);
            float[] training = model.logProbs(
                            scope,
                            TokenBatch.of(List.of(joined(request.promptIds(), sample.ids()))),
                            rowsBefore(request.promptIds().length, sample.ids().length),
                            sample.ids(),
                            (float) temperature,
                            false)
                    .logProbs();
            for (int t = 0; t < training.length; t++) {
                assertThat(sample.logProbs()[t]).isCloseTo(training[t], within(1e-5f));
            }
        });
    }

    @Test
    void greedyTokensAreTheTrainingForwardsLargestLogits() {
        families().forEach(config -> {
            CausalLanguageModel model = unchecked(config);
            GenerationRequest request = request(2);
            Generation sample = only(generator(model, "max_new_tokens: 24, temperature: 0", NO_EOS), request);
            int prompt = request.promptIds().length;
            for (int t = 0; t < sample.ids().length; t++) {
                float[] logits = logitsAfter(model, joined(request.promptIds(), sample.ids()), prompt + t);
                float chosen = logits[sample.ids()[t]];
                for (float logit : logits) {
                    assertThat(logit).isLessThanOrEqualTo(chosen + 1e-4f);
                }
            }
        });
    }

    /** Log-probabilities of all tokens after the first {@code length} of a sequence, by the training forward. */
    private float[] logitsAfter(CausalLanguageModel model, int[] ids, int length) {
        int[] start = Arrays.copyOf(ids, length);
        List<int[]> copies = new ArrayList<>();
        int[] rows = new int[VOCABULARY];
        int[] targets = new int[VOCABULARY];
        for (int token = 0; token < VOCABULARY; token++) {
            copies.add(start);
            rows[token] = (token + 1) * length - 1;
            targets[token] = token;
        }
        return model.logProbs(scope, TokenBatch.of(copies), rows, targets, 1f, false)
                .logProbs();
    }

    @Test
    void aSampleDoesNotDependOnItsCompanions() {
        CausalLanguageModel model = unchecked(MISTRAL);
        List<GenerationRequest> requests =
                IntStream.range(0, 7).mapToObj(GenerationTest::request).toList();
        for (int together : new int[] {1, 3, 7}) {
            Generator generator = generator(model, "max_new_tokens: 20, batch: " + together, 5, 11);
            List<List<Generation>> all = generator.generate(scope, requests);
            for (int i = 0; i < requests.size(); i++) {
                Generation alone = only(generator, requests.get(i));
                assertThat(all.get(i).get(0).ids()).isEqualTo(alone.ids());
                assertThat(all.get(i).get(0).finishReason()).isEqualTo(alone.finishReason());
                for (int t = 0; t < alone.ids().length; t++) {
                    assertThat(all.get(i).get(0).logProbs()[t]).isCloseTo(alone.logProbs()[t], within(1e-5f));
                }
            }
        }
    }

    @Test
    void samplesThatShareAPromptAreThoseOfSeparateRequests() {
        CausalLanguageModel model = unchecked(LLAMA);
        Generator generator = generator(model, "max_new_tokens: 20", 5);
        int[] prompt = prompt(4, 21);
        List<RandomStream> streams = IntStream.range(0, 4)
                .mapToObj(sample -> RandomStream.of(3).at(sample))
                .toList();
        List<Generation> shared = generator
                .generate(scope, List.of(new GenerationRequest(prompt, streams)))
                .get(0);
        for (int sample = 0; sample < streams.size(); sample++) {
            assertThat(shared.get(sample).ids())
                    .isEqualTo(only(generator, GenerationRequest.of(prompt, streams.get(sample)))
                            .ids());
        }
        assertThat(shared.get(0).ids()).isNotEqualTo(shared.get(1).ids());
    }

    @Test
    void aSampleEndsWithAnEndTokenThatBelongsToItAndNotBeforeItsLeastLength() {
        CausalLanguageModel model = unchecked(LLAMA);
        int[] all =
                only(generator(model, "max_new_tokens: 12", NO_EOS), request(1)).ids();
        Generation ended = only(generator(model, "max_new_tokens: 12", all[3]), request(1));
        assertThat(ended.finishReason()).isEqualTo(FinishReason.EOS);
        assertThat(ended.ids()).endsWith(all[3]).hasSizeLessThanOrEqualTo(4);
        assertThat(ended.logProbs()).hasSameSizeAs(ended.ids());
        Generation later = only(generator(model, "max_new_tokens: 12, min_new_tokens: 9", all[3]), request(1));
        assertThat(later.ids()).hasSizeGreaterThan(9);
        assertThat(IntStream.of(later.ids()).limit(9)).doesNotContain(all[3]);
    }

    @Test
    void aRequestMayAskForShorterSamplesThanOthers() {
        CausalLanguageModel model = unchecked(MISTRAL);
        Generator generator = generator(model, "max_new_tokens: 12, batch: 2", NO_EOS);
        List<List<Generation>> samples = generator.generate(
                scope,
                List.of(request(1).withMostTokens(1), request(2), request(3).withMostTokens(7)));
        assertThat(samples).extracting(each -> each.get(0).ids().length).containsExactly(1, 12, 7);
        assertThat(samples.get(2).get(0).ids())
                .isEqualTo(Arrays.copyOf(only(generator, request(3)).ids(), 7));
    }

    @Test
    void theModelsContextEndsASampleAndAPromptThatFillsItIsRefused() {
        CausalLanguageModel model = unchecked(OPT);
        Generator generator = generator(model, "max_new_tokens: 50", NO_EOS);
        Generation sample = only(generator, GenerationRequest.of(prompt(1, 90), RandomStream.of(1)));
        assertThat(sample.ids()).hasSize(6);
        assertThat(sample.finishReason()).isEqualTo(FinishReason.LENGTH);
        GenerationRequest full = GenerationRequest.of(prompt(1, 96), RandomStream.of(1));
        assertThatThrownBy(() -> generator.generate(scope, List.of(full)))
                .isInstanceOf(Rlhf4jException.class)
                .hasMessageContaining("96 tokens");
    }

    @Test
    void theListenerHearsEveryTokenInOrder() {
        CausalLanguageModel model = unchecked(LLAMA);
        List<GenerationRequest> requests =
                IntStream.range(0, 4).mapToObj(GenerationTest::request).toList();
        List<List<Integer>> heard = IntStream.range(0, 4)
                .<List<Integer>>mapToObj(i -> new ArrayList<>())
                .toList();
        List<List<Generation>> samples = generator(model, "max_new_tokens: 10, batch: 2", 5)
                .generate(scope, requests, (request, sample, token) -> heard.get(request)
                        .add(token));
        for (int i = 0; i < 4; i++) {
            assertThat(heard.get(i))
                    .containsExactlyElementsOf(
                            IntStream.of(samples.get(i).get(0).ids()).boxed().toList());
        }
    }

    @Test
    void nothingIsLeftInTheScopeAfterwards() {
        CausalLanguageModel model = unchecked(LLAMA);
        Generator generator = generator(model, "max_new_tokens: 10", NO_EOS);
        // A model may make tables of positions once, when it is first used.
        only(generator, request(2));
        long before = scope.bytes();
        only(generator, request(2));
        assertThat(scope.bytes()).isEqualTo(before);
        assertThat(scope.peakBytes()).isGreaterThan(before);
    }

    private CausalLanguageModel unchecked(String config) {
        try {
            return model(config);
        } catch (IOException e) {
            throw new UncheckedIOException(config, e);
        }
    }
}
