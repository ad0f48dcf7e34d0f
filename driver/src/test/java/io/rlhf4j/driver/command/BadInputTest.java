package io.rlhf4j.driver.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.driver.pipeline.TinyModel;
import io.rlhf4j.driver.pipeline.TinyRun;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a user may give that is not as it should be: one message that names it, the exit code, and no stack. */
@Timeout(120)
class BadInputTest {
    private static final String WEIGHTS = "model.safetensors";
    private static final int CONFIGURATION = 2;
    private static final int DATA = 3;
    private static final int CLUSTER = 4;

    @TempDir
    Path folder;

    @Test
    void aMissingWeightsFile() throws IOException {
        Path model = TinyModel.copy("llama", folder.resolve("model"));
        Files.delete(model.resolve(WEIGHTS));
        refused(DATA, sft("models.actor=" + model), model.toString(), WEIGHTS);
    }

    @Test
    void aTruncatedWeightsFile() throws IOException {
        Path model = TinyModel.copy("llama", folder.resolve("model"));
        byte[] whole = Files.readAllBytes(model.resolve(WEIGHTS));
        Files.write(model.resolve(WEIGHTS), Arrays.copyOf(whole, whole.length - 1));
        refused(DATA, sft("models.actor=" + model), model.resolve(WEIGHTS).toString());
    }

    @Test
    void aShapeThatDoesNotFit() throws IOException {
        Path model = TinyModel.copy("llama", folder.resolve("model"), Map.of("intermediate_size", 64));
        refused(DATA, sft("models.actor=" + model), model.toString(), "mlp.", "[96, 48]", "[64, 48]");
    }

    @Test
    void aTypeThatNoModelHas() throws IOException {
        Path model = TinyModel.copy("llama", folder.resolve("model"));
        Path weights = model.resolve(WEIGHTS);
        String latin = Files.readString(weights, StandardCharsets.ISO_8859_1);
        Files.writeString(weights, latin.replaceFirst("\"F32\"", "\"I32\""), StandardCharsets.ISO_8859_1);
        refused(DATA, sft("models.actor=" + model), weights.toString(), "I32");
    }

    @Test
    void aTokenizerOfAnotherModel() throws IOException {
        ToolRun run = sft("models.actor=" + TinyRun.model("opt"), "models.tokenizer=" + TinyRun.model("llama"));
        refused(DATA, run, "token id 4", "vocabulary of 400", "models.tokenizer");
    }

    @Test
    void anUnknownFamily() throws IOException {
        Path model = TinyModel.copy("llama", folder.resolve("model"), Map.of("model_type", "perceptron"));
        refused(CONFIGURATION, sft("models.actor=" + model), "perceptron", "llama", model.toString());
    }

    @Test
    void anActorAndARewardModelOfDifferentVocabularies() throws IOException {
        RunConfig config = TinyRun.ofThreeSteps(
                folder, "bad", "models.reward=" + TinyRun.model("opt"), "ppo.critic_init=actor", "steps=[ppo]");
        refused(CONFIGURATION, run("ppo", config), "vocabulary", "420", "400");
    }

    @Test
    void aCorruptLine() throws IOException {
        RunConfig config = TinyRun.in(folder, "bad");
        Path file = folder.resolve("demonstrations.jsonl");
        List<String> lines = Files.readAllLines(file);
        lines.set(16, "{\"prompt\": \"What is");
        Files.write(file, lines);
        refused(DATA, run("sft", config), "1 of 40 rows", "demonstrations.jsonl:17", "JSON");
    }

    @Test
    void anEmptyDataSet() throws IOException {
        RunConfig config = TinyRun.in(folder, "bad");
        Files.write(folder.resolve("demonstrations.jsonl"), new byte[0]);
        refused(DATA, run("sft", config), "no rows for sft", "demonstrations");
    }

    @Test
    void aLaterStepWithoutRowsIsToldBeforeTheFirstBegins() throws IOException {
        ToolRun run = run("pipeline", TinyRun.in(folder, "bad", "steps=[sft, reward, ppo]"));
        refused(DATA, run, "no rows for ppo");
        assertThat(run.err()).doesNotContain("sft: ");
    }

    @Test
    void aDataSetThatIsAllHeldOut() throws IOException {
        refused(DATA, sft("data.sources.0.held_out=1"), "no rows for sft", "40 are held out (data.sources[].held_out)");
    }

    @Test
    void aSparkMasterThatIsNone() throws IOException {
        refused(CLUSTER, sft("cluster.master=nonsense"), "Spark does not start on master 'nonsense'", "cluster.master");
    }

    @Test
    void aFolderThatCannotBeMade() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "");
        refused(CONFIGURATION, sft("folder=" + file), file.toString(), "name a place where you may write");
    }

    @Test
    void aPromptThatIsLongerThanTheContext() throws IOException {
        String model = TinyRun.model("llama").toString();
        refused(
                DATA,
                ToolRun.of("generate", "--plain", "--model", model, "question ".repeat(200)),
                "the model's context 64",
                "shorten it");
    }

    @Test
    void aDataSetOfPromptsThatAreLongerThanTheContext() throws IOException {
        RunConfig config = TinyRun.ofThreeSteps(
                folder,
                "bad",
                "ppo.sampling.max_new_tokens=60",
                "steps=[ppo]",
                "ppo.critic_init=actor",
                "ppo.rewards=[{kind: rule, name: short, rule: length, target: 4}]");
        refused(
                DATA,
                run("ppo", config),
                "no rows for ppo",
                " of 'prompt too long for the context of the step's models'");
    }

    @Test
    void notANumberInTheWeights() throws IOException {
        Path model = TinyModel.copy("llama", folder.resolve("model"));
        Path weights = model.resolve(WEIGHTS);
        byte[] bytes = Files.readAllBytes(weights);
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putFloat(bytes.length - 4, Float.NaN);
        Files.write(weights, bytes);
        refused(DATA, sft("models.actor=" + model), weights.toString(), "NaN");
    }

    private ToolRun sft(String... overrides) throws IOException {
        return run("sft", TinyRun.in(folder, "bad", overrides));
    }

    private ToolRun run(String command, RunConfig config) throws IOException {
        Path file = Files.writeString(folder.resolve("run.yaml"), ConfigFile.write(config));
        return ToolRun.of(command, "--config", file.toString());
    }

    /** One message, which holds all of {@code parts}; the step left no result. */
    private void refused(int exitCode, ToolRun run, String... parts) {
        assertThat(run.exitCode()).as(run.err()).isEqualTo(exitCode);
        assertThat(run.err()).contains(parts).doesNotContain("\tat ", "Exception");
        assertThat(run.err().lines().filter(line -> line.startsWith("error: "))).hasSize(1);
        assertThat(folder.resolve("runs/bad/export")).doesNotExist();
    }
}
