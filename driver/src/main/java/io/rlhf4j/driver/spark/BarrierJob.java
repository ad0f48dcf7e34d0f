package io.rlhf4j.driver.spark;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.workers.runtime.RankOutcome;
import io.rlhf4j.workers.runtime.RankTask;
import io.rlhf4j.workers.runtime.StateId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.reflect.ClassTag$;

/** Runs a task on all ranks at once: a barrier job, with ranks agreed among the executors. */
public final class BarrierJob {
    private static final Logger LOG = LoggerFactory.getLogger(BarrierJob.class);

    private final JavaSparkContext context;
    private final int ranks;
    private final Duration slotTimeout;
    private final Duration deadline;

    /**
     * A way to run jobs of so many ranks.
     *
     * @param slotTimeout how long to wait for a slot for every rank
     * @param deadline how long one rank waits for the others at a collective operation
     */
    public BarrierJob(JavaSparkContext context, int ranks, Duration slotTimeout, Duration deadline) {
        this.context = context;
        this.ranks = ranks;
        this.slotTimeout = slotTimeout;
        this.deadline = deadline;
    }

    /**
     * Runs {@code task} on every rank.
     *
     * @param holding the name under which slots keep the state that the job works with
     * @param state which state it works with: tasks become the ranks whose state their executor holds
     * @return what the ranks returned, by rank
     * @throws Rlhf4jException of the first cause's kind where a rank failed
     */
    public <T> List<T> run(String holding, StateId state, Class<T> type, RankTask<T> task) {
        try {
            BarrierChecks.awaitSlots(
                    context.sc(),
                    ranks,
                    slotTimeout,
                    waited -> LOG.info("waiting for {} slots since {} s", ranks, waited));
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new Rlhf4jException(ErrorKind.INTERRUPTED, "interrupted while waiting for slots", interrupted);
        }
        JavaRDD<Integer> places =
                context.parallelize(IntStream.range(0, ranks).boxed().toList(), ranks);
        BarrierFunction function = new BarrierFunction(UUID.randomUUID().toString(), holding, state, deadline, task);
        List<RankOutcome> outcomes = new ArrayList<>(new JavaRDD<>(
                        places.rdd()
                                .barrier()
                                .mapPartitions(function, false, ClassTag$.MODULE$.apply(RankOutcome.class)),
                        ClassTag$.MODULE$.apply(RankOutcome.class))
                .collect());
        outcomes.sort(Comparator.comparingInt(RankOutcome::rank));
        requireSuccess(outcomes);
        return outcomes.stream().map(outcome -> type.cast(outcome.value())).toList();
    }

    /** The first cause is the failure that does not speak of another rank's. */
    private static void requireSuccess(List<RankOutcome> outcomes) {
        List<RankOutcome> failed = new ArrayList<>(
                outcomes.stream().filter(outcome -> outcome.failure() != null).toList());
        if (failed.isEmpty()) {
            return;
        }
        RankOutcome first = Collections.min(
                failed, Comparator.comparing(outcome -> outcome.failure().echo()));
        LOG.error(
                "rank {} on {} failed: {}",
                first.rank(),
                first.host(),
                first.failure().stackTrace());
        throw new Rlhf4jException(
                first.failure().kind(),
                "rank %d on %s: %s"
                        .formatted(first.rank(), first.host(), first.failure().message()));
    }
}
