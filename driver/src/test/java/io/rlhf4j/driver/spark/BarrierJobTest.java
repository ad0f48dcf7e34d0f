package io.rlhf4j.driver.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.workers.runtime.StateId;
import java.time.Duration;
import java.util.List;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class BarrierJobTest {
    private static final StateId STATE = new StateId("run", "first", 0);
    private static SparkSession session;

    @BeforeAll
    static void start() {
        session = LocalSpark.start(2);
    }

    @AfterAll
    static void stop() {
        session.stop();
    }

    @Test
    void ranksSumWhatTheyBring() {
        List<Double> sums = job(2).run("model", STATE, Double.class, context -> context.collectives()
                .allReduceSum(new double[] {context.rank() + 1})[0]);
        assertThat(sums).containsExactly(3.0, 3.0);
    }

    @Test
    void aRankFindsWhatItsLastJobLeftInExactlyThatState() {
        job(2).run("kept", STATE, Boolean.class, context -> {
            context.slot().give("kept", STATE.later(1), () -> {});
            return true;
        });
        assertThat(job(2).run("kept", STATE.later(1), Boolean.class, context -> context.complete()))
                .containsExactly(true, true);
        assertThat(job(2).run("kept", STATE, Boolean.class, context -> context.complete()))
                .containsExactly(false, false);
    }

    @Test
    void theFirstCauseKeepsItsKindAndNamesItsRank() {
        assertThatThrownBy(() -> job(2).run("model", STATE, Boolean.class, context -> {
                    if (context.rank() == 1) {
                        throw Rlhf4jException.data("row 7 is broken");
                    }
                    context.collectives().barrier();
                    return true;
                }))
                .isInstanceOfSatisfying(
                        Rlhf4jException.class, error -> assertThat(error.kind()).isEqualTo(ErrorKind.DATA))
                .hasMessageContaining("rank 1 on")
                .hasMessageContaining("row 7 is broken");
    }

    @Test
    void moreRanksThanSlotsAreRefusedInOneSentence() {
        assertThatThrownBy(() -> job(3).run("model", STATE, Boolean.class, context -> true))
                .isInstanceOfSatisfying(
                        Rlhf4jException.class, error -> assertThat(error.kind()).isEqualTo(ErrorKind.CLUSTER))
                .hasMessageContaining("3 ranks need 3 slots at once, the cluster has 2");
    }

    @Test
    void dynamicAllocationIsRefusedBeforeAnythingStarts() {
        SparkConf conf = new SparkConf(false).set("spark.dynamicAllocation.enabled", "true");
        assertThatThrownBy(() -> BarrierChecks.requirePossible(conf))
                .hasMessageContaining("spark.dynamicAllocation.enabled is true");
    }

    @Test
    void whatMayWorkASecondTimeIsTriedAgain() {
        int[] tries = new int[1];
        List<String> heard = new java.util.ArrayList<>();
        String result = new Retry(3, Duration.ofMillis(1), heard::add).run("sft", () -> {
            if (++tries[0] < 3) {
                throw new IllegalStateException("executor lost");
            }
            return "done";
        });
        assertThat(result).isEqualTo("done");
        assertThat(heard).hasSize(2).first().asString().contains("try 1 of 3").contains("executor lost");
    }

    @Test
    void whatWouldRepeatIsNotTriedAgain() {
        int[] tries = new int[1];
        assertThatThrownBy(() -> new Retry(3, Duration.ofMillis(1), line -> {}).run("sft", () -> {
                    tries[0]++;
                    throw Rlhf4jException.data("no rows");
                }))
                .hasMessage("no rows");
        assertThat(tries[0]).isEqualTo(1);
    }

    private static BarrierJob job(int ranks) {
        return new BarrierJob(
                new JavaSparkContext(session.sparkContext()), ranks, Duration.ofSeconds(2), Duration.ofSeconds(20));
    }
}
