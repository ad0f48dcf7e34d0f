package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.run.Fence;
import io.rlhf4j.tensor.Backends;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.LocalGroup;
import io.rlhf4j.workers.runtime.Slot;
import io.rlhf4j.workers.runtime.WorkerRuntime;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.util.SerializableConfiguration;

/** The models with which a tiny run begins, published by ranks that are threads, and read back as a task reads them. */
final class Publication {
    static final long VERSION = 1;

    private final RunConfig config;
    private final TaskSettings settings;

    /** A run below {@code folder}, whose tiny model is read from local files. */
    Publication(Path sources, String folder, String name, String family, int stage, Configuration hadoop)
            throws IOException {
        config = TinyRun.ofThreeSteps(
                sources,
                name,
                "folder=" + folder,
                "models.actor=" + TinyRun.model(family),
                "ppo.critic_init=actor",
                "ppo.rewards=[{kind: rule, name: short, rule: length, target: 4}]",
                "cluster.scoring=tasks",
                "cluster.zero={actor: %1$d, critic: %1$d}".formatted(stage));
        settings = new TaskSettings(
                ConfigFile.write(config),
                new SerializableConfiguration(hadoop),
                PpoModels.of(config, hadoop),
                Fence.open(),
                "attempt");
    }

    PublishedWeights weights() {
        return new PublishedWeights(settings.folder(config), settings.hadoopConfiguration());
    }

    /** Where the version lies. */
    org.apache.hadoop.fs.Path folder() {
        return settings.folder(config).weights(VERSION);
    }

    /** Publishes it, each rank its share. What ranks fail with, by rank; nothing where they do not. */
    List<Throwable> by(int ranks) throws InterruptedException {
        LocalGroup group = new LocalGroup(ranks, Duration.ofSeconds(60));
        ExecutorService threads = Executors.newFixedThreadPool(ranks);
        try {
            List<Future<?>> parts = new ArrayList<>();
            for (int rank = 0; rank < ranks; rank++) {
                Collectives member = group.member(rank);
                parts.add(threads.submit(() -> publish(member)));
            }
            List<Throwable> failures = new ArrayList<>();
            for (Future<?> part : parts) {
                try {
                    part.get();
                } catch (ExecutionException failed) {
                    failures.add(failed.getCause());
                }
            }
            return failures;
        } finally {
            threads.shutdown();
        }
    }

    private Void publish(Collectives ranks) throws IOException {
        Scope scope = Scope.root(Backends.onClassPath().choose("cpu", 1).backend(), "rank");
        try (TrainedModels models = new TrainedModels(
                config, settings.models(), settings.hadoopConfiguration(), scope, Optional.empty(), ranks)) {
            PublishTask.publish(settings, config, models, ranks, VERSION);
        } catch (IOException | RuntimeException failed) {
            ranks.abort(failed);
            throw failed;
        }
        return null;
    }

    /** Loads it as a task does that samples and scores. */
    void load() throws IOException {
        Slot slot = WorkerRuntime.ofThisJvm().slot(0);
        VersionedModels.take(slot, settings, config, VERSION).close();
    }
}
