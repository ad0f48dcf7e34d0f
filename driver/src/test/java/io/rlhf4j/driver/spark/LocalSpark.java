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
        return start(ranks, "local[%d]".formatted(ranks));
    }

    /** The same where a task that fails is tried again, as on a cluster: Spark's local mode gives up at once. */
    public static SparkSession retrying(int ranks, int tries) {
        return start(ranks, "local[%d,%d]".formatted(ranks, tries));
    }

    private static SparkSession start(int ranks, String master) {
        RunConfig config = ConfigFile.read(
                "name: test\nmodels: {actor: none}\ncluster: {ranks: %d, master: \"%s\"}\n".formatted(ranks, master),
                "test",
                List.of());
        return SparkSessions.start(config);
    }
}
