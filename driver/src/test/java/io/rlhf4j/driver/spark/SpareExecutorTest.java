package io.rlhf4j.driver.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.workers.runtime.RankContext;
import io.rlhf4j.workers.runtime.RankTask;
import io.rlhf4j.workers.runtime.StateId;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Two ranks on three executors. */
@Timeout(300)
class SpareExecutorTest {
    private static final StateId STATE = new StateId("run", "first", 0);
    private static final int JOBS = 8;

    /** Leaves something in its slot, and says in which executor. */
    private record Holding() implements RankTask<String> {
        @Override
        public String run(RankContext context) {
            context.slot().give("model", STATE, () -> {});
            return SparkEnv.get().executorId();
        }
    }

    /** Says whether all ranks found their state. */
    private record Finding() implements RankTask<Boolean> {
        @Override
        public Boolean run(RankContext context) {
            return context.complete();
        }
    }

    @Test
    void ranksStayWhereTheirStateIsAndTheSpareOneTakesTheDeadOnesPlace() throws Exception {
        try (SparkSession session = LocalCluster.start(3, 1, Map.of())) {
            JavaSparkContext context = new JavaSparkContext(session.sparkContext());
            BarrierChecks.awaitSlots(context.sc(), 3, Duration.ofSeconds(60), waited -> {});
            BarrierJob job = new BarrierJob(context, 2, Duration.ofSeconds(60), Duration.ofSeconds(60));

            List<String> before = job.run("model", STATE, String.class, new Holding());
            for (int i = 0; i < JOBS; i++) {
                assertThat(job.run("model", STATE, Boolean.class, new Finding()))
                        .containsExactly(true, true);
            }

            assertThatThrownBy(() -> job.run("model", STATE, Boolean.class, new LostExecutorTest.Dying()))
                    .isInstanceOf(Rlhf4jException.class);
            List<String> after = job.run("model", STATE, String.class, new Holding());
            assertThat(after.get(0)).isEqualTo(before.get(0));
            // Not the one that is started in the dead one's place: that has a higher number.
            assertThat(after.get(1)).isNotEqualTo(before.get(1)).matches("[012]");
        }
    }
}
