package io.rlhf4j.driver.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.driver.spark.LocalSpark;
import io.rlhf4j.format.ElementType;
import io.rlhf4j.format.TensorFiles;
import io.rlhf4j.format.TensorReader;
import io.rlhf4j.hub.ModelDirectory;
import io.rlhf4j.model.TransformerConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** All three steps with an actor and a reward model that are not alike, and in bf16. */
@Timeout(170)
class MixedModelsTest {
    private static SparkSession session;

    @TempDir
    private Path folder;

    @BeforeAll
    static void start() {
        session = LocalSpark.start(2);
    }

    @AfterAll
    static void stop() {
        session.stop();
    }

    @Test
    void anOptActorWithARewardModelThatNormsAfterItsBlocksAndProjectsItsEmbeddings() throws IOException {
        Path reward = TinyModel.remade(
                "opt",
                folder.resolve("reward-model"),
                Map.of("do_layer_norm_before", false, "hidden_size", 32, "word_embed_proj_dim", 16, "ffn_dim", 48));
        Map<String, String> exports = exports("opt", "models.actor=" + TinyRun.model("opt"), "models.reward=" + reward);
        assertThat(config(exports.get("actor")).hiddenSize()).isEqualTo(48);
        assertThat(config(exports.get("critic")).hiddenSize()).isEqualTo(32);
        assertThat(config(exports.get("critic")).embedding().size()).isEqualTo(16);
    }

    @Test
    void aLlamaActorWithASmallerRewardModel() throws IOException {
        Path reward = TinyModel.remade(
                "llama",
                folder.resolve("reward-model"),
                Map.of(
                        "hidden_size", 16,
                        "intermediate_size", 24,
                        "num_hidden_layers", 1,
                        "num_attention_heads", 2,
                        "num_key_value_heads", 1));
        Map<String, String> exports = exports("llama", "models.reward=" + reward);
        assertThat(config(exports.get("actor")).hiddenSize()).isEqualTo(48);
        assertThat(config(exports.get("critic")).hiddenSize()).isEqualTo(16);
        assertThat(config(exports.get("reward")).windows()).hasSize(1);
    }

    @Test
    void allStepsInBf16() throws IOException {
        Map<String, String> exports = exports("bf16", "compute.dtype=bf16");
        for (String directory : exports.values()) {
            try (TensorReader weights =
                    new TensorFiles(new Configuration()).openModel(new org.apache.hadoop.fs.Path(directory))) {
                assertThat(weights.tensors().values()).allMatch(tensor -> tensor.type() == ElementType.BF16);
            }
        }
    }

    /** What a run of all steps exports, after a look at what every step tells. */
    private Map<String, String> exports(String name, String... overrides) throws IOException {
        RunConfig config = TinyRun.ofThreeSteps(folder, name, overrides);
        List<StepResult> results = new Pipeline(session, config, Progress.silent()).runAll();
        assertThat(results).extracting(StepResult::steps).containsExactly(4L, 4L, 2L);
        assertThat(results.get(0).after().get("loss"))
                .isLessThan(results.get(0).before().get("loss"));
        assertThat(results)
                .allSatisfy(result -> assertThat(result.after().values()).allMatch(Double::isFinite));
        Map<String, String> all = new java.util.TreeMap<>();
        results.forEach(result -> all.putAll(result.exports()));
        assertThat(all).containsKeys("sft", "reward", "actor", "critic");
        return all;
    }

    private static TransformerConfig config(String directory) throws IOException {
        return new ModelDirectory(new Configuration())
                .describe(new org.apache.hadoop.fs.Path(directory))
                .config();
    }
}
