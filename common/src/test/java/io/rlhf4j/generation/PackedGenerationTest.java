package io.rlhf4j.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.SamplingConfig;
import io.rlhf4j.hub.ModelDirectory;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.DecodingWeights;
import io.rlhf4j.model.PackedWeights;
import io.rlhf4j.model.Parameter;
import io.rlhf4j.model.ParameterUnit;
import io.rlhf4j.model.TokenBatch;
import io.rlhf4j.model.UnitHooks;
import io.rlhf4j.sampling.RandomStream;
import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.Backends;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Int8;
import io.rlhf4j.tensor.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Weights that are laid out anew while samples are drawn change their speed and their memory alone. */
class PackedGenerationTest {
    private static final String CONFIG =
            """
            {"model_type": "llama", "hidden_act": "silu", "vocab_size": 97, "hidden_size": 48, "num_hidden_layers": 3,
             "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 80, "max_position_embeddings": 96,
             "initializer_range": 0.15, "tie_word_embeddings": false, "bos_token_id": 1, "eos_token_id": 2}
            """;

    private final Backend backend = Backends.onClassPath().choose("cpu", 2).backend();

    @TempDir
    private Path folder;

    @Test
    void withoutPackedWeightsTheSameTokensAreSampledInLessMemory() throws IOException {
        List<GenerationRequest> requests = requests();
        try (Scope scope = Scope.root(backend, "model");
                Scope packed = Scope.root(backend, "packed");
                Scope plain = Scope.root(backend, "plain")) {
            CausalLanguageModel model = model(scope, DType.FP32);
            List<List<Generation>> expected =
                    generator(model, DecodingWeights.PACKED).generate(packed, requests);
            List<List<Generation>> found =
                    generator(model, DecodingWeights.PLAIN).generate(plain, requests);
            for (int i = 0; i < requests.size(); i++) {
                Generation same = expected.get(i).get(0);
                assertThat(found.get(i).get(0).ids()).hasSize(24).isEqualTo(same.ids());
                assertThat(found.get(i).get(0).logProbs()).containsExactly(same.logProbs(), within(1e-5f));
            }
            long copies = 4 * CausalLanguageModel.packedElements(model.config());
            assertThat(packed.peakBytes() - plain.peakBytes()).isGreaterThanOrEqualTo(copies);
        }
    }

    /** The head and the embedding are not one here, and the embedding is not rounded. */
    @ParameterizedTest
    @CsvSource({"FP32, 1e-5", "BF16, 0.1"})
    void withInt8TheLogProbsAreThoseOfTheModelWithRoundedWeights(DType type, float tolerance) throws IOException {
        try (Scope scope = Scope.root(backend, "model")) {
            CausalLanguageModel model = model(scope, type);
            CausalLanguageModel rounded = model.copy(scope, DType.FP32);
            for (ParameterUnit unit : rounded.units()) {
                for (Parameter parameter : unit.parameters()) {
                    if (!unit.name().equals("embedding") && parameter.shape().length == 2) {
                        float[] values = parameter.value().toFloats();
                        Int8.round(values, parameter.shape()[1]);
                        backend.write(parameter.value(), values, 0);
                    }
                }
            }
            List<List<Generation>> samples =
                    generator(model, DecodingWeights.INT8).generate(scope, requests());
            double unrounded = 0;
            for (int i = 0; i < samples.size(); i++) {
                Generation sample = samples.get(i).get(0);
                float[] expected = logProbs(rounded, scope, requests().get(i).promptIds(), sample.ids());
                assertThat(sample.logProbs()).hasSize(24).containsExactly(expected, within(tolerance));
                float[] others = logProbs(model, scope, requests().get(i).promptIds(), sample.ids());
                for (int t = 0; t < others.length; t++) {
                    unrounded = Math.max(unrounded, Math.abs(others[t] - expected[t]));
                }
            }
            assertThat(unrounded).as("what the rounding changes").isGreaterThan(0.01);
        }
    }

    @Test
    void withInt8TheCopiesTakeAByteForAWeightAndFourForAnOutput() throws IOException {
        try (Scope scope = Scope.root(backend, "model");
                Scope copies = Scope.root(backend, "copies")) {
            CausalLanguageModel model = model(scope, DType.BF16);
            try (PackedWeights packed = model.pack(copies, DecodingWeights.INT8)) {
                assertThat(packed).isNotNull();
                long outputs = 0;
                long bytes = 0;
                for (ParameterUnit unit : model.units()) {
                    for (Parameter parameter : unit.parameters()) {
                        if (!unit.name().equals("embedding") && parameter.shape().length == 2) {
                            int rows = parameter.shape()[0];
                            outputs += rows;
                            // Blocks are whole.
                            bytes += (long) (rows + 63) / 64 * 64 * parameter.shape()[1];
                        }
                    }
                }
                assertThat(copies.bytes()).isEqualTo(bytes + 4 * outputs);
            }
            assertThat(copies.bytes()).isZero();
        }
    }

    private static float[] logProbs(CausalLanguageModel model, Scope scope, int[] prompt, int[] answer) {
        int[] ids = IntStream.concat(IntStream.of(prompt), IntStream.of(answer)).toArray();
        int[] rows = IntStream.range(prompt.length - 1, ids.length - 1).toArray();
        return model.logProbs(scope, TokenBatch.of(List.of(ids)), rows, answer, 1f, false)
                .logProbs();
    }

    @Test
    void aModelWhoseWeightsCouldNotBePackedReadsItsOwnAgain() throws IOException {
        try (Scope scope = Scope.root(backend, "model")) {
            CausalLanguageModel model = model(scope, DType.FP32);
            model.setHooks(new UnitHooks() {
                @Override
                public void beforeUse(ParameterUnit unit) {
                    if (unit.name().equals("blocks.1")) {
                        throw new OutOfMemoryError("none left");
                    }
                }
            });
            assertThatThrownBy(() -> model.pack(scope, DecodingWeights.PACKED)).hasMessage("none left");
            for (ParameterUnit unit : model.units()) {
                for (Parameter parameter : unit.parameters()) {
                    assertThat(parameter.factor().storage())
                            .as(parameter.name())
                            .isSameAs(parameter.value().storage());
                }
            }
        }
    }

    private static List<GenerationRequest> requests() {
        return IntStream.range(0, 3)
                .mapToObj(i -> GenerationRequest.of(
                        new int[] {5 + i, 17, 40 - i}, RandomStream.of(1).at(i)))
                .toList();
    }

    private CausalLanguageModel model(Scope scope, DType type) throws IOException {
        Files.writeString(folder.resolve("config.json"), CONFIG);
        return new ModelDirectory(new Configuration())
                .initialize(new org.apache.hadoop.fs.Path(folder.toUri()), scope, type, 7);
    }

    private static Generator generator(CausalLanguageModel model, DecodingWeights weights) {
        SamplingConfig sampling =
                ConfigFile.parse(SamplingConfig.class, "{max_new_tokens: 24, weights: %s}".formatted(weights));
        return new Generator(model, sampling, new int[0], StopTexts.NONE);
    }
}
