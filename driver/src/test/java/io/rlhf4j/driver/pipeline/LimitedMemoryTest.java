package io.rlhf4j.driver.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.driver.plan.RunPlan;
import io.rlhf4j.driver.spark.LocalCluster;
import io.rlhf4j.driver.spark.LocalSpark;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.run.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** PPO on three executors, none of which may have as much memory for tensors as the weights of the four models take. */
@Tag("cluster-long")
@DisabledOnOs(OS.WINDOWS)
@Timeout(1800)
class LimitedMemoryTest {
    private static final long LIMIT = 56L << 20;

    private static final List<String> ALL_CUT = List.of(
            "cluster.zero={actor: 3, critic: 3, reference: 3, reward_model: 3}",
            "cluster.offload.optimizer=disk",
            "cluster.rank_memory=56m");

    @TempDir
    private Path folder;

    @Test
    void itTrainsTheBitsOfARunWithoutLimit() throws IOException {
        Path model = TinyModel.remade(
                "llama",
                folder.resolve("model"),
                Map.of("hidden_size", 192, "intermediate_size", 768, "num_hidden_layers", 8));
        assertThat(4 * Files.size(model.resolve("model.safetensors"))).isGreaterThan(LIMIT);

        RunConfig limited = config(model, "limited", ALL_CUT);
        RunPlan.of(limited, new Configuration()).requireFitting();
        try (SparkSession cluster = LocalCluster.start(
                3, 1, Map.of("spark.executor.extraJavaOptions", "-Dorg.bytedeco.javacpp.maxbytes=" + LIMIT))) {
            new Pipeline(cluster, limited, Progress.silent()).runPpo();

            RunConfig whole = config(model, "refused", List.of());
            assertThatThrownBy(() -> new Pipeline(cluster, whole, Progress.silent()).runPpo())
                    .isInstanceOfSatisfying(Rlhf4jException.class, error -> assertThat(error.kind())
                            .isEqualTo(ErrorKind.CLUSTER))
                    .hasMessageContaining("no memory for tensors")
                    .hasMessageContaining("58,720,256 allowed in this process");
        }
        RunConfig unlimited = config(model, "unlimited", List.of("cluster.scoring=ranks"));
        try (SparkSession local = LocalSpark.start(3)) {
            new Pipeline(local, unlimited, Progress.silent()).runPpo();

            assertThat(rollouts(local, limited)).hasSize(12).isEqualTo(rollouts(local, unlimited));
        }
        for (String exported : List.of("actor", "critic", "actor-ema")) {
            assertThat(weights(limited, exported)).as(exported).isEqualTo(weights(unlimited, exported));
        }
        assertThat(peak(limited)).isBetween(35e6, (double) LIMIT);
        assertThat(peak(unlimited)).isGreaterThan(3.0 * LIMIT);
    }

    private RunConfig config(Path model, String name, List<String> overrides) throws IOException {
        List<String> all = new ArrayList<>(List.of(
                "models.actor=" + model,
                "ppo={iterations: 2, prompts: 6, samples: 1, epochs: 1, minibatches: 2, critic_init: reward}",
                "ppo.reward_model=" + model,
                "ppo.actor_optimizer.learning_rate=1.0e-3",
                "ppo.sampling={max_new_tokens: 8, batch: 2, weights: plain}",
                "evaluation={rows: 4}",
                "evaluation.sampling={max_new_tokens: 8, batch: 2, weights: plain}",
                "compute.micro_batch_tokens=64",
                "cluster.ranks=3"));
        all.addAll(overrides);
        return TinyRun.ofThreeSteps(folder, name, all.toArray(String[]::new));
    }

    private static List<String> rollouts(SparkSession session, RunConfig config) {
        return session.read()
                .parquet(config.path() + "/rollouts")
                .orderBy("iteration", "source", "row_key", "sample_index")
                .toJSON()
                .collectAsList();
    }

    private static byte[] weights(RunConfig config, String model) throws IOException {
        return Files.readAllBytes(Path.of(config.path(), "export", model, "model.safetensors"));
    }

    private static double peak(RunConfig config) throws IOException {
        return RunFolder.of(config, new Configuration()).openMetrics().rows().stream()
                .mapToDouble(row -> row.values().getOrDefault("memory_peak_bytes", 0.0))
                .max()
                .orElseThrow();
    }
}
