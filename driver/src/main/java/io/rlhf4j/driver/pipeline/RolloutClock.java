package io.rlhf4j.driver.pipeline;

import java.io.Serializable;
import org.apache.spark.SparkContext;
import org.apache.spark.util.DoubleAccumulator;

/** Adds up what the tasks of an iteration spend on rollouts, phase by phase. A task that is repeated counts again. */
final class RolloutClock implements Serializable {
    private static final long serialVersionUID = 1L;

    private final DoubleAccumulator generate;
    private final DoubleAccumulator score;
    private final DoubleAccumulator change;

    RolloutClock(SparkContext context) {
        generate = context.doubleAccumulator();
        score = context.doubleAccumulator();
        change = context.doubleAccumulator();
    }

    /** What one task has spent on rollouts, and before them on the newest weights. Called in the task. */
    void add(double generateSeconds, double scoreSeconds, double switchSeconds) {
        generate.add(generateSeconds);
        score.add(scoreSeconds);
        change.add(switchSeconds);
    }

    /** Seconds of sampling, all tasks together. */
    double generateSeconds() {
        return generate.sum();
    }

    /** Seconds of loading the newest weights, all tasks together. */
    double switchSeconds() {
        return change.sum();
    }

    /** Seconds of rewards and training forwards, all tasks together. */
    double scoreSeconds() {
        return score.sum();
    }
}
