package io.rlhf4j.driver.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.format.ElementType;
import io.rlhf4j.hub.ModelDirectory;
import io.rlhf4j.tensor.Backends;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CommandLineToolTest {
    @TempDir
    Path folder;

    private static String mebibytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f MiB", bytes / (1024.0 * 1024.0));
    }

    private Path config(String text) throws IOException {
        return Files.writeString(folder.resolve("run.yaml"), text);
    }

    @Test
    void helpAndVersionEndWell() {
        assertThat(ToolRun.of("--help").exitCode()).isZero();
        assertThat(ToolRun.of("--help").out()).contains("pipeline", "plan", "inspect", "Exit codes");
        assertThat(ToolRun.of("plan", "--help").out()).contains("--config", "--set");
        assertThat(ToolRun.of("--version").out()).contains("spark 4", "hadoop 3", "java");
    }

    @Test
    void aWrongCommandLineIsBadConfiguration() {
        ToolRun unknown = ToolRun.of("pipelin");
        assertThat(unknown.exitCode()).isEqualTo(2);
        assertThat(unknown.err()).contains("pipelin").contains("pipeline");
        assertThat(ToolRun.of().exitCode()).isEqualTo(2);
        assertThat(ToolRun.of("plan").err()).contains("Missing required option: '--config=FILE'");
        assertThat(ToolRun.of("plan", "--bogus").exitCode()).isEqualTo(2);
    }

    @Test
    void anUnknownKeyEndsWithItsPlaceAndNoStack() throws IOException {
        Path file = config("name: a\nmodels: {actor: base}\nppo:\n  iteration: 3\n");
        ToolRun run = ToolRun.of("pipeline", "--config", file.toString());

        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.err())
                .contains("run.yaml:4:3: there is no key 'ppo.iteration'; did you mean 'iterations'?")
                .doesNotContain("\tat ", "Exception");
    }

    @Test
    void aMissingConfigurationFileIsNamed() {
        ToolRun run = ToolRun.of("plan", "-c", folder.resolve("absent.yaml").toString());
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.err()).contains("absent.yaml: there is no such configuration file");
    }

    @Test
    void anOverrideOfTheWrongTypeIsNamed() throws IOException {
        Path file = config("name: a\nmodels: {actor: base}\n");
        ToolRun run = ToolRun.of("plan", "-c", file.toString(), "--set", "ppo.iterations=few");
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.err()).contains("--set ppo.iterations: ppo.iterations is 'few', expected a whole number");
    }

    @Test
    void aMissingModelIsNamedWithItsKey() throws IOException {
        Path file = config("name: a\nmodels: {actor: " + folder.resolve("nothing") + "}\n");
        ToolRun run = ToolRun.of("plan", "-c", file.toString());
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.err()).contains("models.actor: there is no directory");
    }

    @Test
    void aTruncatedModelIsBadData() throws IOException {
        Path model = model();
        Path weights = model.resolve("model.safetensors");
        byte[] bytes = Files.readAllBytes(weights);
        Files.write(weights, Arrays.copyOf(bytes, bytes.length - 100));
        Path file = config("name: a\nmodels: {actor: " + model + "}\n");

        ToolRun run = ToolRun.of("plan", "-c", file.toString());
        assertThat(run.exitCode()).isEqualTo(3);
        assertThat(run.err()).contains("model.safetensors");
    }

    @Test
    void thePlanCountsBytesForEachModel() throws IOException {
        Path file = config("name: a\nmodels: {actor: " + model() + "}\ncompute: {dtype: bf16}\n");
        ToolRun run = ToolRun.of("plan", "-c", file.toString());

        assertThat(run.err()).isEmpty();
        assertThat(run.exitCode()).isZero();
        // In bf16 a parameter takes 2 bytes, its fp32 gradient 4, moments and master 12.
        long parameters = 64 * 32 + 2 * (2 * 32 + (32 + 2 * 16) * 32 + 32 * 32 + 3 * 64 * 32) + 32;
        assertThat(run.out())
                .containsPattern("sft +model +0 +%,d +%s +%s +%s +%s"
                        .formatted(
                                parameters,
                                mebibytes(2 * parameters),
                                mebibytes(4 * parameters),
                                mebibytes(12 * parameters),
                                mebibytes(18 * parameters)))
                .containsPattern("ppo +reference +- +%,d +%s +- +- +".formatted(parameters, mebibytes(2 * parameters)))
                .contains("100 iterations of 64 prompts x 1 samples, each 2 x 4 optimizer steps (800 in all)");
    }

    @Test
    void aCommandOfOneStepPlansThatStepAlone() throws IOException {
        // Nothing is there for the other steps, and nobody asked for them.
        Path file = config("name: a\nfolder: %s\nmodels: {actor: %s, reward: absent}\n"
                .formatted(folder.resolve("runs"), model()));
        ToolRun run = ToolRun.of("sft", "-c", file.toString());

        assertThat(run.out()).containsPattern("sft +model +0 ").doesNotContain("reward", "ppo");
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.err()).contains("data.sources is empty");
    }

    @Test
    void inspectTellsWhatAFolderHolds() throws IOException {
        assertThat(ToolRun.of("inspect", model().toString()).out())
                .contains("family        llama, causal language model", "vocabulary    64", "2 layers, 32 wide", "f32");
        assertThat(ToolRun.of("inspect", folder.toString()).exitCode()).isEqualTo(2);
        assertThat(ToolRun.of("inspect", "/no/such/folder").err()).contains("there is no folder '/no/such/folder'");
    }

    @Test
    void thePlanCountsAShareOfWhatIsCut() throws IOException {
        Path file = config("name: a\nmodels: {actor: " + model() + "}\ncompute: {dtype: bf16}\n");
        ToolRun run = ToolRun.of(
                "plan", "-c", file.toString(), "--set", "cluster.ranks=4", "--set", "cluster.zero={sft: 1, critic: 3}");

        long parameters = 64 * 32 + 2 * (2 * 32 + (32 + 2 * 16) * 32 + 32 * 32 + 3 * 64 * 32) + 32;
        assertThat(run.out())
                .containsPattern("sft +model +1 +%,d +%s +%s +%s +"
                        .formatted(
                                parameters,
                                mebibytes(2 * parameters),
                                mebibytes(4 * parameters),
                                mebibytes(12 * parameters / 4)))
                .containsPattern("ppo +critic +3 ");
    }

    @Test
    void differentVocabulariesAreRefused() throws IOException {
        Path file = config("name: a\nmodels: {actor: %s, reward: %s}\n".formatted(model(), model("other", 96)));
        ToolRun run = ToolRun.of("plan", "-c", file.toString());
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.err()).contains("vocabulary of 64 tokens", "one of 96");
    }

    @Test
    void anUnknownFamilyIsRefused() throws IOException {
        Path model = model();
        Files.writeString(model.resolve("config.json"), "{\"model_type\": \"perceptron\"}");
        ToolRun run = ToolRun.of("inspect", model.toString());
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.err()).contains("perceptron");
    }

    private Path model() throws IOException {
        return model("model", 64);
    }

    /** A llama of two small layers, with random weights. */
    private Path model(String name, int vocabulary) throws IOException {
        Path model = Files.createDirectories(folder.resolve(name));
        Files.writeString(
                model.resolve("config.json"),
                """
                {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": %d, "hidden_size": 32,
                 "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
                 "max_position_embeddings": 128, "rms_norm_eps": 1e-6, "hidden_act": "silu", "rope_theta": 10000.0,
                 "tie_word_embeddings": true, "bos_token_id": 1, "eos_token_id": 2}
                """
                        .formatted(vocabulary));
        org.apache.hadoop.fs.Path directory = new org.apache.hadoop.fs.Path(model.toUri());
        ModelDirectory models = new ModelDirectory(new Configuration(false));
        try (Scope scope =
                Scope.root(Backends.onClassPath().choose(Backends.AUTO, 1).backend(), "test")) {
            models.save(models.initialize(directory, scope, DType.FP32, 1), directory, ElementType.F32);
        }
        return model;
    }
}
