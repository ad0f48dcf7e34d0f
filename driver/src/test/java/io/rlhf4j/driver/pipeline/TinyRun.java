package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.RunConfig;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** A run of two ranks on a tiny llama: demonstrations and pairs about sums, in files of their own. */
public final class TinyRun {
    private static final int ROWS = 40;

    private TinyRun() {}

    /** Writes the sources and gives the configuration of the run {@code name} below {@code folder}. */
    public static RunConfig in(Path folder, String name, String... overrides) throws IOException {
        Path demonstrations = lines(
                folder,
                "demonstrations.jsonl",
                IntStream.range(0, ROWS)
                        .mapToObj(
                                "{\"prompt\": \"What is %1$d plus one?\", \"response\": \"It is one more than %1$d.\"}"
                                        ::formatted)
                        .toList());
        Path pairs = lines(
                folder,
                "pairs.jsonl",
                IntStream.range(0, ROWS)
                        .mapToObj(
                                "{\"prompt\": \"Say yes to %1$d\", \"chosen\": \"yes, %1$d\", \"rejected\": \"no, not %1$d\"}"
                                        ::formatted)
                        .toList());
        String yaml =
                """
                name: %s
                folder: %s
                models: {actor: "%s"}
                compute: {backend: cpu, micro_batch_tokens: 256}
                cluster: {ranks: 2, threads: 1, attempts: 1}
                checkpoints: {every_steps: 3}
                data:
                  chat: never
                  sources:
                    - {path: "%s", steps: [sft], held_out: 0.2}
                    - {path: "%s", steps: [reward], held_out: 0.2}
                sft: {epochs: 4, max_steps: 10, batch_size: 8, optimizer: {learning_rate: 1.0e-2}}
                reward: {epochs: 4, max_steps: 10, batch_size: 8, optimizer: {learning_rate: 1.0e-2}}
                """
                        .formatted(name, folder.resolve("runs"), model("llama"), demonstrations, pairs);
        return ConfigFile.read(yaml, "tiny.yaml", List.of(overrides));
    }

    /** The same with all three steps: few of each, and PPO on the demonstrations' prompts with the run's reward model. */
    public static RunConfig ofThreeSteps(Path folder, String name, String... overrides) throws IOException {
        List<String> all = new ArrayList<>(List.of(
                "data.sources.0.steps=[sft, ppo]",
                "sft.max_steps=4",
                "reward.max_steps=4",
                "ppo={iterations: 2, prompts: 4, samples: 1, epochs: 1, minibatches: 1}",
                "ppo.sampling.max_new_tokens=8",
                "evaluation.sampling.max_new_tokens=8",
                "checkpoints={every_steps: 2, every_iterations: 1}"));
        all.addAll(List.of(overrides));
        return in(folder, name, all.toArray(String[]::new));
    }

    /** The directory of a tiny model of the test resources. */
    public static Path model(String family) {
        try {
            return Path.of(TinyRun.class.getResource("/tiny/" + family).toURI());
        } catch (URISyntaxException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** Writes a source. */
    public static Path lines(Path folder, String file, List<String> lines) throws IOException {
        return Files.write(folder.resolve(file), lines);
    }
}
