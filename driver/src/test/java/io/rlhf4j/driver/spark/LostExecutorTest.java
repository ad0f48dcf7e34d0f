package io.rlhf4j.driver.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.workers.runtime.RankContext;
import io.rlhf4j.workers.runtime.RankTask;
import io.rlhf4j.workers.runtime.StateId;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** An executor that dies in the midst of a job of all ranks. */
@Timeout(300)
class LostExecutorTest {
    private static final StateId STATE = new StateId("run", "first", 0);

    /** Leaves something in its slot. */
    private record Holding() implements RankTask<Boolean> {
        @Override
        public Boolean run(RankContext context) {
            context.slot().give("model", STATE, () -> {});
            return true;
        }
    }

    /** Rank 1 takes its executor with it while the others wait for it. */
    record Dying() implements RankTask<Boolean> {
        @Override
        public Boolean run(RankContext context) {
            if (context.rank() == 1) {
                Runtime.getRuntime().halt(137);
            }
            context.collectives().barrier();
            return true;
        }

        @Override
        public String what() {
            return "the update of iteration 7";
        }
    }

    @Test
    void theCauseNamesRankHostAndWorkAndTheNextTryFindsAnotherExecutor() throws Exception {
        try (SparkSession session = LocalCluster.start(2, 1, Map.of())) {
            BarrierJob job = new BarrierJob(
                    new JavaSparkContext(session.sparkContext()), 2, Duration.ofSeconds(60), Duration.ofSeconds(60));
            // What an executor holds makes its rank the same one in the next job.
            job.run("model", STATE, Boolean.class, new Holding());

            long begin = System.nanoTime();
            assertThatThrownBy(() -> job.run("model", STATE, Boolean.class, new Dying()))
                    .isInstanceOfSatisfying(Rlhf4jException.class, error -> assertThat(error.kind())
                            .isEqualTo(ErrorKind.RETRYABLE))
                    .hasMessageMatching(
                            "the update of iteration 7: rank 1 on \\S+ \\(executor [01]\\) went with its executor:"
                                    + " .*");
            assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(60));

            List<Boolean> complete = job.run(
                    "model",
                    STATE,
                    Boolean.class,
                    context -> context.collectives().worldSize() == 2);
            assertThat(complete).containsExactly(true, true);
        }
    }
}
