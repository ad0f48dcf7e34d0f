package io.rlhf4j.workers.engine;

import io.rlhf4j.format.NamedTensor;
import io.rlhf4j.format.TensorReader;
import java.io.IOException;
import java.util.List;

/**
 * Trains one model on all ranks: every rank calls the same methods in the same order, each with its own micro-batches.
 *
 * <p>The gradient of a step is the sum over all micro-batches of all ranks, so losses are divided by the whole step's
 * number of tokens, and N ranks with any accumulation make the step of one big batch.
 */
public interface TrainingEngine extends AutoCloseable {
    /**
     * One optimizer step. A step whose loss or gradient is not finite is skipped by all ranks and counted.
     *
     * @param microBatches this rank's, in order; may be empty
     * @throws io.rlhf4j.error.Rlhf4jException of kind DATA where more steps were skipped than allowed
     */
    StepResult step(List<Backward> microBatches);

    /** Lets planned steps go by that will not be made (an early stop), so that the schedule ends where it was meant to. */
    void passOver(long steps);

    /** Counters, for checkpoints. */
    EngineProgress progress();

    /**
     * Weights, masters, moments and moving average under the names {@code <kind>/<parameter>}, for checkpoints: all that
     * {@link #restore} needs to continue bit for bit. What this rank holds; under data parallelism, everything.
     */
    List<NamedTensor> state();

    /** Continues from a state that {@link #state()} gave. */
    void restore(EngineProgress progress, TensorReader tensors) throws IOException;

    /**
     * Runs {@code action} while the model's weights are their moving average, then puts the trained ones back.
     *
     * @throws IllegalStateException where no average is kept
     */
    void withAveragedWeights(Runnable action);

    @Override
    void close();
}
