package io.rlhf4j.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.SamplingConfig;
import io.rlhf4j.hub.ModelDirectory;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.Parameter;
import io.rlhf4j.model.ParameterUnit;
import io.rlhf4j.model.UnitHooks;
import io.rlhf4j.sampling.RandomStream;
import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.Backends;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
        List<GenerationRequest> requests = IntStream.range(0, 3)
                .mapToObj(i -> GenerationRequest.of(
                        new int[] {5 + i, 17, 40 - i}, RandomStream.of(1).at(i)))
                .toList();
        try (Scope scope = Scope.root(backend, "model");
                Scope packed = Scope.root(backend, "packed");
                Scope plain = Scope.root(backend, "plain")) {
            CausalLanguageModel model = model(scope);
            List<List<Generation>> expected = generator(model, true).generate(packed, requests);
            List<List<Generation>> found = generator(model, false).generate(plain, requests);
            for (int i = 0; i < requests.size(); i++) {
                Generation same = expected.get(i).get(0);
                assertThat(found.get(i).get(0).ids()).hasSize(24).isEqualTo(same.ids());
                assertThat(found.get(i).get(0).logProbs()).containsExactly(same.logProbs(), within(1e-5f));
            }
            long copies = 4 * CausalLanguageModel.packedElements(model.config());
            assertThat(packed.peakBytes() - plain.peakBytes()).isGreaterThanOrEqualTo(copies);
        }
    }

    @Test
    void aModelWhoseWeightsCouldNotBePackedReadsItsOwnAgain() throws IOException {
        try (Scope scope = Scope.root(backend, "model")) {
            CausalLanguageModel model = model(scope);
            model.setHooks(new UnitHooks() {
                @Override
                public void beforeUse(ParameterUnit unit) {
                    if (unit.name().equals("blocks.1")) {
                        throw new OutOfMemoryError("none left");
                    }
                }
            });
            assertThatThrownBy(() -> model.pack(scope)).hasMessage("none left");
            for (ParameterUnit unit : model.units()) {
                for (Parameter parameter : unit.parameters()) {
                    assertThat(parameter.factor().storage())
                            .as(parameter.name())
                            .isSameAs(parameter.value().storage());
                }
            }
        }
    }

    private CausalLanguageModel model(Scope scope) throws IOException {
        Files.writeString(folder.resolve("config.json"), CONFIG);
        return new ModelDirectory(new Configuration())
                .initialize(new org.apache.hadoop.fs.Path(folder.toUri()), scope, DType.FP32, 7);
    }

    private static Generator generator(CausalLanguageModel model, boolean packed) {
        SamplingConfig sampling =
                ConfigFile.parse(SamplingConfig.class, "{max_new_tokens: 24, pack_weights: %s}".formatted(packed));
        return new Generator(model, sampling, new int[0], StopTexts.NONE);
    }
}
