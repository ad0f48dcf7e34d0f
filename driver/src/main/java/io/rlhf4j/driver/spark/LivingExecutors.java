package io.rlhf4j.driver.spark;

import java.util.Comparator;
import java.util.List;
import org.apache.spark.SparkContext;
import org.apache.spark.storage.BlockManagerId;
import scala.jdk.javaapi.CollectionConverters;

/** Which executors there are. */
final class LivingExecutors {
    private LivingExecutors() {}

    /** All that the driver knows of and does not know to be gone, the oldest first; none in local mode. */
    static List<RankPlaces.Place> of(SparkContext context) {
        return CollectionConverters.asJava(context.env().blockManager().master().getMemoryStatus()).keySet().stream()
                .filter(manager -> !manager.isDriver())
                // Spark numbers executors in the order in which it asks for them.
                .sorted(Comparator.comparingInt(
                                (BlockManagerId manager) -> manager.executorId().length())
                        .thenComparing(BlockManagerId::executorId))
                .map(manager -> new RankPlaces.Place(manager.host(), manager.executorId()))
                .toList();
    }
}
