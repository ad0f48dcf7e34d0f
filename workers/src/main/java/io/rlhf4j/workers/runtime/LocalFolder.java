package io.rlhf4j.workers.runtime;

import io.rlhf4j.config.OffloadConfig;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.apache.spark.SparkEnv;

/** Where a rank keeps on disk what does not have to be in memory. */
public final class LocalFolder {
    private LocalFolder() {}

    /** The folder for the optimizer's states; empty where they are to be in memory. */
    public static Optional<Path> ofOptimizer(OffloadConfig offload, Slot slot) {
        return of(offload.optimizer(), offload, slot);
    }

    /** The folder for published weights; empty where they are to be in memory. */
    public static Optional<Path> ofRollouts(OffloadConfig offload, Slot slot) {
        return of(offload.rollout(), offload, slot);
    }

    private static Optional<Path> of(OffloadConfig.Place place, OffloadConfig offload, Slot slot) {
        return switch (place) {
            case MEMORY -> Optional.empty();
            case DISK -> Optional.of(made(offload.folder().map(Path::of).orElseGet(() -> ofSpark(slot))));
        };
    }

    /** One of those that Spark, or the cluster's manager, gives an executor; slots take turns. */
    private static Path ofSpark(Slot slot) {
        SparkEnv environment = SparkEnv.get();
        if (environment == null) {
            return Path.of(System.getProperty("java.io.tmpdir"));
        }
        File[] folders = environment.blockManager().diskBlockManager().localDirs();
        return folders[slot.number() % folders.length].toPath();
    }

    private static Path made(Path folder) {
        try {
            return Files.createDirectories(folder);
        } catch (IOException failed) {
            throw new UncheckedIOException("cannot make " + folder, failed);
        }
    }
}
