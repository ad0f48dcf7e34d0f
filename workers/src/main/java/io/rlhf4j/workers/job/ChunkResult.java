package io.rlhf4j.workers.job;

import io.rlhf4j.workers.checkpoint.CheckpointFile;
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
 * @param before evaluation before the first step; empty where none was asked for
 * @param after evaluation after the last step; empty where none was asked for
 * @param progress of the engine
 * @param files that the rank wrote for the checkpoint
 */
public record ChunkResult(
        List<Map<String, Double>> metrics,
        Map<String, Double> before,
        Map<String, Double> after,
        EngineProgress progress,
        List<CheckpointFile> files)
        implements Serializable {
    public ChunkResult {
        // Collections of one plain class each: everything that Spark moves is registered by class.
        metrics = new ArrayList<>(metrics.stream()
                .map(step -> (Map<String, Double>) new LinkedHashMap<>(step))
                .toList());
        before = new LinkedHashMap<>(before);
        after = new LinkedHashMap<>(after);
        files = new ArrayList<>(files);
    }
}
