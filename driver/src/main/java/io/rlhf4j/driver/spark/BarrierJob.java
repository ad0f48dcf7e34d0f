package io.rlhf4j.driver.spark;

import io.rlhf4j.config.ClusterConfig.Transport;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.workers.runtime.RankTask;
import io.rlhf4j.workers.runtime.StateId;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.apache.spark.api.java.JavaSparkContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs a task on all ranks at once: a barrier job, with ranks agreed among the executors. */
public final class BarrierJob {
    private static final Logger LOG = LoggerFactory.getLogger(BarrierJob.class);
    /** How long ranks may take to end when one has failed. */
    private static final Duration LONGEST_END = Duration.ofMinutes(1);

    private final JavaSparkContext context;
    private final int ranks;
    private final Duration slotTimeout;
    private final Duration deadline;
    private final ErrorKind lacking;
    private final RankPlaces places;
    private final Transport transport;

    /** A way to run jobs of so many ranks that have worked nowhere yet. */
    public BarrierJob(JavaSparkContext context, int ranks, Duration slotTimeout, Duration deadline) {
        this(context, ranks, slotTimeout, deadline, new RankPlaces());
    }

    /**
     * A way to run jobs of so many ranks.
     *
     * @param slotTimeout how long to wait for a slot for every rank
     * @param deadline how long one rank waits for the others at a collective operation
     * @param places where the ranks of the run were last; kept from job to job
     */
    public BarrierJob(JavaSparkContext context, int ranks, Duration slotTimeout, Duration deadline, RankPlaces places) {
        this(context, ranks, slotTimeout, deadline, places, ErrorKind.CLUSTER, Transport.NETWORK);
    }

    private BarrierJob(
            JavaSparkContext context,
            int ranks,
            Duration slotTimeout,
            Duration deadline,
            RankPlaces places,
            ErrorKind lacking,
            Transport transport) {
        this.lacking = lacking;
        this.transport = transport;
        this.places = places;
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
            JavaSparkContext context,
            int ranks,
            Duration slotTimeout,
            Duration deadline,
            RankPlaces places,
            Consumer<String> say) {
        int slots = slots(context, ranks, slotTimeout);
        if (slots < 1) {
            throw BarrierChecks.tooFewSlots(ErrorKind.CLUSTER, ranks, slots);
        }
        if (slots < ranks) {
            say.accept("goes on with %d of %d ranks: not bit-equal to a run with all of them".formatted(slots, ranks));
        }
        return new BarrierJob(
                context, Math.min(ranks, slots), slotTimeout, deadline, places, ErrorKind.RETRYABLE, Transport.NETWORK);
    }

    /** These jobs, with tensors that go from rank to rank another way than through the executors' memory. */
    public BarrierJob over(Transport way) {
        return new BarrierJob(context, ranks, slotTimeout, deadline, places, lacking, way);
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

    /** Whether all executors that ranks were in are there still. */
    public boolean allThere() {
        return context.sc().isLocal() || places.allAmong(LivingExecutors.of(context.sc()));
    }

    /**
     * Runs {@code task} on every rank.
     *
     * @param holding the name under which slots keep the state that the job works with
     * @param state which state it works with: tasks become the ranks whose state their executor holds
     * @return what the ranks returned, by rank
     * @throws Rlhf4jException of the first cause's kind where a rank failed; of kind RETRYABLE where one is gone or hangs
     */
    public <T> List<T> run(String holding, StateId state, Class<T> type, RankTask<T> task) {
        int slots = slots(context, ranks, slotTimeout);
        if (slots < ranks) {
            throw BarrierChecks.tooFewSlots(lacking, ranks, slots);
        }
        BarrierFunction function =
                new BarrierFunction(new RankGroup(deadline, transport), holding, state, task, places.byExecutor());
        Duration patience = deadline.compareTo(LONGEST_END) < 0 ? deadline : LONGEST_END;
        try {
            return new BarrierAttempt(context, ranks, places, patience)
                    .run(function).stream()
                            .map(outcome -> type.cast(outcome.value()))
                            .toList();
        } catch (Rlhf4jException failed) {
            throw task.what().isEmpty()
                    ? failed
                    : new Rlhf4jException(failed.kind(), task.what() + ": " + failed.getMessage(), failed);
        }
    }
}
