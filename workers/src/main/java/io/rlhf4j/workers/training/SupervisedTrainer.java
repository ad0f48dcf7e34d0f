package io.rlhf4j.workers.training;

import io.rlhf4j.data.TokenRow;
import java.util.List;
import java.util.Map;

/** Training on rows that say what is right: step 1 on answers, step 2 on pairs. Every rank is given the same rows. */
public interface SupervisedTrainer<R extends TokenRow> {
    /**
     * One optimizer step.
     *
     * @param batch all rows of the step, the same on every rank
     * @return metrics, the same on every rank
     */
    Map<String, Double> step(List<R> batch);

    /**
     * How good the model is on rows that it does not learn from.
     *
     * @return metrics, the same on every rank
     */
    Map<String, Double> evaluate(List<R> rows);
}
