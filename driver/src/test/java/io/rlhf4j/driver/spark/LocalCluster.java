package io.rlhf4j.driver.spark;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.RunConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.SparkSession;

/**
 * Sessions whose executors are JVMs of their own on this machine, with the class path of the test. Spark starts them from
 * {@code SPARK_HOME}, which Maven sets to a folder that needs no more in it than an empty one for jars.
 */
public final class LocalCluster {
    private LocalCluster() {}

    /** Starts one; to be closed. */
    public static SparkSession start(int executors, int cores, Map<String, String> settings) throws IOException {
        String home = System.getenv("SPARK_HOME");
        if (home == null) {
            throw new AssertionError("SPARK_HOME is not set; run with Maven, or set it to any folder");
        }
        Files.createDirectories(Path.of(home, "jars"));
        StringBuilder yaml = new StringBuilder(
                """
                name: test
                models: {actor: none}
                cluster:
                  ranks: %d
                  threads: 1
                  master: "local-cluster[%d,%d,600]"
                  spark:
                    spark.executor.memory: 512m
                    spark.executor.extraClassPath: "%s"
                """
                        .formatted(executors * cores, executors, cores, System.getProperty("java.class.path")));
        settings.forEach((key, value) -> yaml.append("    %s: \"%s\"%n".formatted(key, value)));
        RunConfig config = ConfigFile.read(yaml.toString(), "test", List.of());
        return SparkSessions.start(config);
    }
}
