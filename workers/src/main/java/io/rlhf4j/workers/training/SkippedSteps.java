package io.rlhf4j.workers.training;

import io.rlhf4j.data.TokenRow;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.engine.StepResult;
import java.util.List;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says which rows a skipped step was made of, so that bad ones can be found. */
final class SkippedSteps {
    private static final Logger LOGGER = LoggerFactory.getLogger(SkippedSteps.class);

    private SkippedSteps() {}

    /** Logs the rows of the step, once for all ranks, where it was skipped. */
    static void report(String model, StepResult result, List<? extends TokenRow> rows, Collectives collectives) {
        if (result.skipped() && collectives.rank() == 0) {
            LOGGER.warn(
                    "{}: step skipped, loss {} and gradient norm {} are not both finite; rows {}",
                    model,
                    result.loss(),
                    result.gradientNorm(),
                    rows.stream().map(row -> row.source() + ":" + row.key()).collect(Collectors.joining(" ")));
        }
    }
}
