package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.driver.data.DataPreparation;
import io.rlhf4j.driver.data.DataReport;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.SparkSession;

/**
 * A run: its steps, one after the other, on a Spark session. A step that an earlier start of the run has finished is not
 * repeated; one that was interrupted goes on from its last checkpoint, to the same result.
 */
public final class Pipeline {
    private final SparkSession session;
    private final RunConfig config;
    private final Progress progress;

    /** The run that {@code config} names. */
    public Pipeline(SparkSession session, RunConfig config, Progress progress) {
        this.session = session;
        this.config = config;
        this.progress = progress;
    }

    /**
     * Reads, splits and tokenizes the sources, and writes them to the run's folder.
     *
     * @throws io.rlhf4j.error.Rlhf4jException of kind DATA where a step has no rows or too many are unusable
     */
    public DataReport prepareData() {
        progress.begin("data", 0, 1);
        DataReport report = new DataPreparation(session, config).prepare().report();
        progress.end("data");
        return report;
    }

    /** Step 1: supervised fine-tuning of the actor. */
    public StepResult runSft() {
        throw new UnsupportedOperationException();
    }

    /** Step 2: the reward model. */
    public StepResult runReward() {
        throw new UnsupportedOperationException();
    }

    /** Step 3: proximal policy optimisation. */
    public StepResult runPpo() {
        throw new UnsupportedOperationException();
    }

    /** The steps that the configuration lists, in its order. */
    public List<StepResult> runAll() {
        throw new UnsupportedOperationException();
    }

    /**
     * Ends what runs now, from another thread: the call in progress throws an {@link io.rlhf4j.error.Rlhf4jException} of kind
     * INTERRUPTED. What is committed stays.
     */
    public void interrupt() {
        throw new UnsupportedOperationException(Map.of().toString());
    }
}
