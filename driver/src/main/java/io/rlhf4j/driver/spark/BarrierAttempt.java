package io.rlhf4j.driver.spark;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.workers.runtime.RankOutcome;
import java.io.Serializable;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.spark.SimpleFutureAction;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.rdd.RDD;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.Option;
import scala.Tuple2;
import scala.collection.Iterator;
import scala.collection.immutable.Seq;
import scala.concurrent.Await;
import scala.concurrent.duration.FiniteDuration;
import scala.jdk.javaapi.CollectionConverters;
import scala.reflect.ClassTag$;
import scala.runtime.AbstractFunction0;
import scala.runtime.AbstractFunction1;
import scala.runtime.AbstractFunction2;
import scala.runtime.BoxedUnit;

/**
 * One submission of a barrier job. It ends with what all ranks came to, or with the first cause why they did not: a rank
 * that failed, an executor that is gone, a rank that does not answer any more.
 */
final class BarrierAttempt {
    private static final Logger LOG = LoggerFactory.getLogger(BarrierAttempt.class);
    private static final String INTERRUPT = "spark.job.interruptOnCancel";
    private static final FiniteDuration LOOK = FiniteDuration.apply(500, TimeUnit.MILLISECONDS);
    private static final int LINES = 4;

    private final JavaSparkContext context;
    private final RankPlaces ranks;
    private final Duration patience;
    private final RankOutcome[] outcomes;
    private long failedAt;

    /**
     * A submission of so many tasks.
     *
     * @param ranks where they were in the job before
     * @param patience how long after the first failure the other ranks may take to end
     */
    BarrierAttempt(JavaSparkContext context, int tasks, RankPlaces ranks, Duration patience) {
        this.context = context;
        this.ranks = ranks;
        this.patience = patience;
        this.outcomes = new RankOutcome[tasks];
    }

    /**
     * Runs the job.
     *
     * @return outcomes by rank, all of them successes
     * @throws Rlhf4jException of the first cause's kind where a rank failed; of kind RETRYABLE where one is gone or hangs
     */
    List<RankOutcome> run(BarrierFunction function) {
        try (TaskPlaces places = new TaskPlaces(context.sc())) {
            SimpleFutureAction<BoxedUnit> job = submit(function);
            await(job, places);
            if (job.value().get().isFailure()) {
                throw broken(job.value().get().failed().get(), places);
            }
        }
        List<RankOutcome> byRank = Arrays.stream(outcomes)
                .sorted(Comparator.comparingInt(RankOutcome::rank))
                .toList();
        firstFailure().ifPresent(first -> {
            throw failure(first);
        });
        ranks.remember(byRank);
        return byRank;
    }

    private SimpleFutureAction<BoxedUnit> submit(BarrierFunction function) {
        RDD<RankOutcome> rdd =
                tasks().barrier().mapPartitions(function, false, ClassTag$.MODULE$.apply(RankOutcome.class));
        List<Object> all = IntStream.range(0, outcomes.length)
                .<Object>mapToObj(task -> task)
                .toList();
        String before = context.getLocalProperty(INTERRUPT);
        // A task of a job that is given up may wait for what never comes.
        context.setLocalProperty(INTERRUPT, "true");
        try {
            return context.sc()
                    .submitJob(
                            rdd,
                            new Single(),
                            CollectionConverters.asScala(all).toSeq(),
                            new AbstractFunction2<Object, RankOutcome, BoxedUnit>() {
                                @Override
                                public BoxedUnit apply(Object task, RankOutcome outcome) {
                                    heard((Integer) task, outcome);
                                    return BoxedUnit.UNIT;
                                }
                            },
                            new AbstractFunction0<BoxedUnit>() {
                                @Override
                                public BoxedUnit apply() {
                                    return BoxedUnit.UNIT;
                                }
                            });
        } finally {
            context.setLocalProperty(INTERRUPT, before);
        }
    }

    /**
     * A task for each rank, preferably where the rank's state lies: where there are more slots than ranks, Spark would else
     * take any of them.
     */
    private RDD<Object> tasks() {
        List<List<String>> wanted = ranks.locations(outcomes.length, LivingExecutors.of(context.sc()));
        List<Tuple2<Object, Seq<String>>> tasks = IntStream.range(0, outcomes.length)
                .mapToObj(task -> Tuple2.<Object, Seq<String>>apply(
                        task, CollectionConverters.asScala(wanted.get(task)).toSeq()))
                .toList();
        return context.sc().makeRDD(CollectionConverters.asScala(tasks).toSeq(), ClassTag$.MODULE$.apply(Object.class));
    }

    /** A task gives one outcome. */
    private static final class Single extends AbstractFunction1<Iterator<RankOutcome>, RankOutcome>
            implements Serializable {
        private static final long serialVersionUID = 1L;

        @Override
        public RankOutcome apply(Iterator<RankOutcome> outcomes) {
            return outcomes.next();
        }
    }

    private synchronized void heard(int task, RankOutcome outcome) {
        outcomes[task] = outcome;
        if (outcome.failure() != null && failedAt == 0) {
            failedAt = System.nanoTime();
        }
    }

    private void await(SimpleFutureAction<BoxedUnit> job, TaskPlaces places) {
        try {
            while (!ended(job)) {
                if (overdue()) {
                    Rlhf4jException hung = hung(places);
                    job.cancel(Option.apply(hung.getMessage()));
                    throw hung;
                }
            }
        } catch (InterruptedException interrupted) {
            job.cancel(Option.apply("interrupted"));
            Thread.currentThread().interrupt();
            throw new Rlhf4jException(ErrorKind.INTERRUPTED, "interrupted while ranks were at work", interrupted);
        }
    }

    /** Waits a while for the end of the job. */
    private static boolean ended(SimpleFutureAction<BoxedUnit> job) throws InterruptedException {
        try {
            Await.ready(job, LOOK);
            return true;
        } catch (TimeoutException notYet) {
            return false;
        }
    }

    /** Whether a rank has failed so long ago that the others should have ended. */
    private synchronized boolean overdue() {
        return failedAt != 0 && System.nanoTime() - failedAt > patience.toNanos();
    }

    private synchronized Rlhf4jException hung(TaskPlaces places) {
        RankOutcome first = firstFailure().orElseThrow();
        List<Integer> silent = IntStream.range(0, outcomes.length)
                .filter(rank ->
                        Arrays.stream(outcomes).filter(Objects::nonNull).noneMatch(outcome -> outcome.rank() == rank))
                .boxed()
                .toList();
        List<RankPlaces.Place> where = IntStream.range(0, outcomes.length)
                .filter(task -> outcomes[task] == null)
                .mapToObj(places::of)
                .flatMap(Optional::stream)
                .toList();
        where.forEach(this::replace);
        return new Rlhf4jException(
                ErrorKind.RETRYABLE,
                "rank(s) %s on %s did not end within %d s after another had failed and are given up; first failure: %s"
                        .formatted(
                                silent,
                                where,
                                patience.toSeconds(),
                                failure(first).getMessage()));
    }

    /** Whatever hangs in an executor keeps its slot for good. */
    private void replace(RankPlaces.Place place) {
        if (context.sc().isLocal()) {
            return;
        }
        if (context.sc().killAndReplaceExecutor(place.executor())) {
            ranks.lose(place);
        } else {
            LOG.warn("Spark's cluster manager does not end the executor of a rank that hangs: {}", place);
        }
    }

    /** What Spark's exception means; executors that went are no places for ranks any more. */
    private Rlhf4jException broken(Throwable failed, TaskPlaces places) {
        List<TaskPlaces.Loss> losses = places.losses();
        losses.forEach(loss -> ranks.lose(loss.place()));
        Optional<RankOutcome> first =
                firstFailure().filter(outcome -> !outcome.failure().echo());
        if (first.isPresent()) {
            return failure(first.get());
        }
        if (!losses.isEmpty()) {
            TaskPlaces.Loss loss = losses.get(0);
            RankPlaces.Place place = loss.place();
            return new Rlhf4jException(
                    ErrorKind.RETRYABLE,
                    "%s on %s went with its executor: %s"
                            .formatted(
                                    ranks.ranksOf(place.executor(), places.tasksOf(place.executor())),
                                    place,
                                    loss.reason()),
                    failed);
        }
        String message = String.valueOf(failed.getMessage());
        return new Rlhf4jException(
                Retry.isCancelled(message) ? ErrorKind.INTERRUPTED : ErrorKind.RETRYABLE, firstLines(message), failed);
    }

    /** Spark's messages go on with stacks. */
    private static String firstLines(String message) {
        return message.lines()
                .filter(line -> !line.isBlank())
                .takeWhile(line -> !line.startsWith("\t"))
                .limit(LINES)
                .collect(Collectors.joining("; "));
    }

    /** The first cause is the failure that does not speak of another rank's. */
    private synchronized Optional<RankOutcome> firstFailure() {
        List<RankOutcome> failed = Arrays.stream(outcomes)
                .filter(outcome -> outcome != null && outcome.failure() != null)
                .sorted(Comparator.comparingInt(RankOutcome::rank))
                .toList();
        return failed.isEmpty()
                ? Optional.empty()
                : Optional.of(Collections.min(failed, Comparator.comparing(outcome -> outcome.failure()
                        .echo())));
    }

    private static Rlhf4jException failure(RankOutcome first) {
        LOG.error(
                "rank {} on {} failed: {}",
                first.rank(),
                first.host(),
                first.failure().stackTrace());
        return new Rlhf4jException(
                first.failure().kind(),
                "rank %d on %s (executor %s): %s"
                        .formatted(
                                first.rank(),
                                first.host(),
                                first.executor(),
                                first.failure().message()));
    }
}
