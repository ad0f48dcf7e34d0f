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
import java.util.function.Consumer;
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
    private final ErrorKind lacking;

    /**
     * A way to run jobs of so many ranks.
     *
     * @param slotTimeout how long to wait for a slot for every rank
     * @param deadline how long one rank waits for the others at a collective operation
     */
    public BarrierJob(JavaSparkContext context, int ranks, Duration slotTimeout, Duration deadline) {
        this(context, ranks, slotTimeout, deadline, ErrorKind.CLUSTER);
    }

    private BarrierJob(
            JavaSparkContext context, int ranks, Duration slotTimeout, Duration deadline, ErrorKind lacking) {
        this.lacking = lacking;
        this.context = context;
        this.ranks = ranks;
        this.slotTimeout = slotTimeout;
        this.deadline = deadline;
    }

    /**
     * A way to run jobs of as many of {@code ranks} as find a slot now. Where slots are lost later on, a job fails as one
     * that is worth a new try, with what is there then.
     *
     * @param say hears that there are fewer
     * @throws Rlhf4jException of kind CLUSTER where there is not one slot
     */
    public static BarrierJob elastic(
            JavaSparkContext context, int ranks, Duration slotTimeout, Duration deadline, Consumer<String> say) {
        int slots = slots(context, ranks, slotTimeout);
        if (slots < 1) {
            throw BarrierChecks.tooFewSlots(ErrorKind.CLUSTER, ranks, slots);
        }
        if (slots < ranks) {
            say.accept("goes on with %d of %d ranks: not bit-equal to a run with all of them".formatted(slots, ranks));
        }
        return new BarrierJob(context, Math.min(ranks, slots), slotTimeout, deadline, ErrorKind.RETRYABLE);
    }

    private static int slots(JavaSparkContext context, int ranks, Duration timeout) {
        try {
            return BarrierChecks.awaitSlots(
                    context.sc(), ranks, timeout, waited -> LOG.info("waiting for {} slots since {} s", ranks, waited));
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new Rlhf4jException(ErrorKind.INTERRUPTED, "interrupted while waiting for slots", interrupted);
        }
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
        int slots = slots(context, ranks, slotTimeout);
        if (slots < ranks) {
            throw BarrierChecks.tooFewSlots(lacking, ranks, slots);
        }
        JavaRDD<Integer> places =
                context.parallelize(IntStream.range(0, ranks).boxed().toList(), ranks);
        BarrierFunction function = new BarrierFunction(new RankGroup(deadline), holding, state, task);
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
