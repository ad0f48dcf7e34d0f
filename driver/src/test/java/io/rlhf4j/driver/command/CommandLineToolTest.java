package io.rlhf4j.driver.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.format.ElementType;
import io.rlhf4j.format.FloatSource;
import io.rlhf4j.format.NamedTensor;
import io.rlhf4j.format.SafetensorsWriter;
import io.rlhf4j.format.TensorInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CommandLineToolTest {
    @TempDir
    Path folder;

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
        // 1,048,576 parameters in bf16: 2 MiB of weights, 4 of fp32 gradients, 12 of moments and masters.
        assertThat(run.out())
                .containsPattern("sft +model +1,048,576 +2.0 MiB +4.0 MiB +12.0 MiB +18.0 MiB")
                .containsPattern("ppo +reference +1,048,576 +2.0 MiB +- +- +2.0 MiB")
                .contains("100 iterations of 64 prompts x 1 samples, each 2 x 4 optimizer steps (800 in all)");
    }

    @Test
    void inspectTellsWhatAFolderHolds() throws IOException {
        assertThat(ToolRun.of("inspect", model().toString()).out())
                .contains("family        llama", "vocabulary    1024", "parameters    1,048,576", "{f32=1}");
        assertThat(ToolRun.of("inspect", folder.toString()).exitCode()).isEqualTo(2);
        assertThat(ToolRun.of("inspect", "/no/such/folder").err()).contains("there is no folder '/no/such/folder'");
    }

    /** A directory with one tensor of 1,048,576 numbers. */
    private Path model() throws IOException {
        Path model = Files.createDirectories(folder.resolve("model"));
        Files.writeString(
                model.resolve("config.json"),
                "{\"model_type\": \"llama\", \"architectures\": [\"LlamaForCausalLM\"], \"vocab_size\": 1024}");
        TensorInfo info = new TensorInfo("model.embed_tokens.weight", ElementType.F32, List.of(1024, 1024));
        new SafetensorsWriter(new Configuration(false))
                .writeModel(
                        new org.apache.hadoop.fs.Path(model.toUri()),
                        List.of(new NamedTensor(info, FloatSource.of(new float[1024 * 1024]))),
                        Map.of(),
                        Long.MAX_VALUE);
        return model;
    }
}
