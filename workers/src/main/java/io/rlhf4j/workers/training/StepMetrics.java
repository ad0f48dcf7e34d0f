package io.rlhf4j.workers.training;

import io.rlhf4j.workers.engine.StepResult;
import java.util.Map;
import java.util.TreeMap;

/** The metrics that every optimizer step has. */
final class StepMetrics {
    private StepMetrics() {}

    static Map<String, Double> of(StepResult result) {
        Map<String, Double> metrics = new TreeMap<>();
        metrics.put("loss", result.loss());
        metrics.put("gradient_norm", result.gradientNorm());
        metrics.put("learning_rate", result.learningRate());
        metrics.put("skipped", result.skipped() ? 1.0 : 0.0);
        metrics.put("seconds_communicate", result.communicationSeconds());
        metrics.put("communication_bytes", (double) result.communicationBytes());
        return metrics;
    }
}
