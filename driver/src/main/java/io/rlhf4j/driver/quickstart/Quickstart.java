package io.rlhf4j.driver.quickstart;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.driver.chat.ChatModel;
import io.rlhf4j.driver.pipeline.StepResult;
import io.rlhf4j.tensor.Backends;
import io.rlhf4j.tensor.DType;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;

/** The quickstart's own parts: its input, its configuration, and the judgement of what came out. */
public final class Quickstart {
    private final Path folder;
    private final long seed;
    private final boolean control;

    /**
     * @param folder of the run
     * @param seed of data, weights and run
     * @param control whether scores are dealt at random instead of by the reward model
     */
    public Quickstart(Path folder, long seed, boolean control) {
        this.folder = folder;
        this.seed = seed;
        this.control = control;
    }

    /** Writes the input that is missing. */
    public void prepare(Backends.Choice backend) throws IOException {
        input().write(backend.backend());
    }

    /** The run's configuration, with {@code overrides} above it. */
    public RunConfig config(List<String> overrides) {
        List<String> all = new ArrayList<>();
        all.add("name=" + folder.getFileName());
        all.add("folder=" + folder.toAbsolutePath().getParent());
        all.add("seed=" + seed);
        if (control) {
            all.add("ppo.rewards=[{kind: java, class_name: %s}]".formatted(RandomScore.class.getName()));
        }
        all.addAll(overrides);
        return ConfigFile.read(
                template().replace("{input}", folder.resolve("input").toString()), "quickstart.yaml", all);
    }

    /**
     * Asks the models before and after PPO, writes {@code quickstart.json} and tells it as text; a line that says what is
     * missing where the run was told to leave one of the two steps out.
     */
    public String judge(RunConfig config, List<StepResult> results, Backends.Choice backend) throws IOException {
        Optional<String> first = export(results, "sft");
        Optional<String> last = export(results, "actor");
        if (first.isEmpty() || last.isEmpty()) {
            return "answers before and after PPO are compared where a run has the steps sft and ppo%n".formatted();
        }
        HeldOutQuestions held =
                new HeldOutQuestions(input().data(), seed, config.evaluation().sampling());
        HeldOutQuestions.Answered before = ask(held, first.get(), backend);
        HeldOutQuestions.Answered after = ask(held, last.get(), backend);
        Map<String, AnswerQuality> quality = Map.of("after_sft", before.quality(), "after_ppo", after.quality());
        new ObjectMapper()
                .enable(SerializationFeature.INDENT_OUTPUT)
                .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
                .writeValue(folder.resolve("quickstart.json").toFile(), quality);
        return QuickstartReport.of(
                results, before, after, held.questions(), config.evaluation().samples());
    }

    private static HeldOutQuestions.Answered ask(HeldOutQuestions questions, String directory, Backends.Choice backend)
            throws IOException {
        org.apache.hadoop.fs.Path path = new org.apache.hadoop.fs.Path(directory);
        try (ChatModel model = ChatModel.load(path, backend, DType.FP32, new Configuration())) {
            return questions.ask(model);
        }
    }

    private static Optional<String> export(List<StepResult> results, String name) {
        return results.stream()
                .map(result -> result.exports().get(name))
                .filter(path -> path != null)
                .findFirst();
    }

    private QuickstartInput input() {
        return new QuickstartInput(folder.resolve("input"), seed);
    }

    private static String template() {
        try (InputStream stream = Quickstart.class.getResourceAsStream("quickstart.yaml")) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
