package io.rlhf4j.deploy.cluster;

import io.rlhf4j.driver.bench.BenchModel;
import io.rlhf4j.format.ElementType;
import io.rlhf4j.hub.ModelDirectory;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.ScoreModel;
import io.rlhf4j.tensor.Backends;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tokenizer.training.ByteLevelBpeTrainer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;

/**
 * PPO with four models of the shape {@code tiny} (vocabulary 4096, 4 layers of 256): random weights, a tokenizer that knows
 * bytes, prompts about sums, a reward model with a random head.
 */
final class TinyPpo {
    private static final int ROWS = 240;
    /** Their numbers are those of the shape's config.json. */
    private static final List<String> SPECIAL = List.of("<|pad|>", "<|begin|>", "<|end|>");

    private final Path folder;

    /** Writes models and prompts below {@code folder}. */
    TinyPpo(Path folder) throws IOException {
        this.folder = folder;
        Path actor = Files.createDirectories(folder.resolve("actor"));
        Path reward = Files.createDirectories(folder.resolve("reward"));
        try (InputStream config = BenchModel.class.getResourceAsStream("tiny/config.json")) {
            Files.write(actor.resolve("config.json"), config.readAllBytes());
        }
        Files.writeString(
                actor.resolve("tokenizer.json"),
                new ByteLevelBpeTrainer(256 + SPECIAL.size(), SPECIAL)
                        .train(List.of())
                        .toJson());
        Files.writeString(
                actor.resolve("tokenizer_config.json"),
                """
                {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "<|pad|>", "eos_token": "<|end|>"}
                """);
        ModelDirectory models = new ModelDirectory(new Configuration());
        try (Scope scope = Scope.root(Backends.onClassPath().choose("cpu", 1).backend(), "tiny")) {
            CausalLanguageModel model = models.initialize(hadoop(actor), scope, DType.FP32, 1);
            models.save(model, hadoop(actor), ElementType.F32);
            models.save(ScoreModel.onBackboneOf(model, scope, DType.FP32, 2), hadoop(reward), ElementType.F32);
        }
        Files.write(
                folder.resolve("prompts.jsonl"),
                IntStream.range(0, ROWS)
                        .mapToObj("{\"prompt\": \"What is %d plus one?\"}"::formatted)
                        .toList());
    }

    private static org.apache.hadoop.fs.Path hadoop(Path path) {
        return new org.apache.hadoop.fs.Path(path.toUri());
    }

    /** Writes the configuration of a run of so many iterations on so many ranks of one thread. */
    Path config(String name, int ranks, int iterations, int prompts) throws IOException {
        return Files.writeString(
                folder.resolve(name + ".yaml"),
                """
                name: %s
                folder: %s
                models: {actor: "%s"}
                compute: {backend: cpu, micro_batch_tokens: 512}
                cluster: {ranks: %d, threads: 1, attempts: 12}
                checkpoints: {every_iterations: 1}
                data:
                  chat: never
                  sources: [{path: "%s", steps: [ppo], held_out: 0.05, columns: {prompt: prompt}}]
                ppo:
                  iterations: %d
                  prompts: %d
                  epochs: 2
                  minibatches: 2
                  reward_model: "%s"
                  sampling: {max_new_tokens: 48}
                  actor_optimizer: {learning_rate: 1.0e-4}
                  critic_optimizer: {learning_rate: 1.0e-4}
                evaluation: {rows: 6, sampling: {temperature: 0, max_new_tokens: 16}}
                """
                        .formatted(
                                name,
                                runs(),
                                folder.resolve("actor"),
                                ranks,
                                folder.resolve("prompts.jsonl"),
                                iterations,
                                prompts,
                                folder.resolve("reward")));
    }

    /** Where the runs lie. */
    Path runs() {
        return folder.resolve("runs");
    }
}
