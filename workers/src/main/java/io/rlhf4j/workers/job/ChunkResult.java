package io.rlhf4j.workers.job;

import io.rlhf4j.workers.engine.EngineProgress;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a chunk of steps came to.
 *
 * @param metrics of each step
 * @param evaluations by the number of steps done before them
 * @param progress of the engine
 */
public record ChunkResult(
        List<Map<String, Double>> metrics, Map<Long, Map<String, Double>> evaluations, EngineProgress progress)
        implements Serializable {
    public ChunkResult {
        // Collections of one plain class each: everything that Spark moves is registered by class.
        metrics = new ArrayList<>(metrics.stream()
                .map(step -> (Map<String, Double>) new LinkedHashMap<>(step))
                .toList());
        Map<Long, Map<String, Double>> measured = new LinkedHashMap<>();
        evaluations.forEach((position, values) -> measured.put(position, new LinkedHashMap<>(values)));
        evaluations = measured;
    }
}
