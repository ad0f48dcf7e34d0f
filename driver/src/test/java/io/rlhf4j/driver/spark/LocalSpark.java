package io.rlhf4j.driver.spark;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.RunConfig;
import java.util.List;
import org.apache.spark.sql.SparkSession;

/** A session of two local threads, with the settings of a real run. */
public final class LocalSpark {
    private LocalSpark() {}

    /** Starts it; to be closed. */
    public static SparkSession start(int ranks) {
        RunConfig config = ConfigFile.read(
                "name: test\nmodels: {actor: none}\ncluster: {ranks: %d}\n".formatted(ranks), "test", List.of());
        return SparkSessions.start(config);
    }
}
