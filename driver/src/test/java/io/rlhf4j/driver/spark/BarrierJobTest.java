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
    void aJobTakesNoSecondToAgreeOnItsRanks() {
        job(2).run("model", STATE, Boolean.class, context -> true);
        long quickest = Long.MAX_VALUE;
        for (int i = 0; i < 5; i++) {
            long begin = System.nanoTime();
            job(2).run("model", STATE, Boolean.class, context -> !Thread.currentThread()
                            .isInterrupted())
                    .forEach(calm -> assertThat(calm).isTrue());
            quickest = Math.min(quickest, System.nanoTime() - begin);
        }
        // Spark's own allGather alone takes a second.
        assertThat(Duration.ofNanos(quickest)).isLessThan(Duration.ofMillis(900));
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
    void aRankThatNeverEndsIsNamedAndGivenUpWhenTheOthersHaveWaitedForIt() {
        long begin = System.nanoTime();
        assertThatThrownBy(() -> job(2, Duration.ofSeconds(1)).run("model", STATE, Boolean.class, new Hanging()))
                .isInstanceOfSatisfying(
                        Rlhf4jException.class, error -> assertThat(error.kind()).isEqualTo(ErrorKind.RETRYABLE))
                .hasMessageContaining("the update of iteration 7: rank(s) [1] on")
                .hasMessageContaining("rank 0 waited 1000 ms for rank(s) 1 at barrier");
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(30));
        // Both slots are free again.
        assertThat(job(2).run("model", STATE, Boolean.class, context -> true)).containsExactly(true, true);
    }

    /** Rank 1 sleeps while the others wait for it. */
    private record Hanging() implements RankTask<Boolean> {
        @Override
        public Boolean run(RankContext context) throws InterruptedException {
            if (context.rank() == 1) {
                Thread.sleep(Duration.ofMinutes(5).toMillis());
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
        String result = new Retry(3, Duration.ofMillis(1), heard::add).run("sft", () -> 0, () -> {
            if (++tries[0] < 3) {
                throw new IllegalStateException("executor lost");
            }
            return "done";
        });
        assertThat(result).isEqualTo("done");
        assertThat(heard).hasSize(2).first().asString().contains("try 1 of 3").contains("executor lost");
    }

    @Test
    void triesCountAnewWhereTheWorkHasComeFurther() {
        long[] done = new long[1];
        int[] tries = new int[1];
        List<String> heard = new java.util.ArrayList<>();
        assertThatThrownBy(() -> new Retry(2, Duration.ofMillis(1), heard::add).run("ppo", () -> done[0], () -> {
                    if (++tries[0] <= 5) {
                        done[0]++;
                    }
                    throw new IllegalStateException("executor lost");
                }))
                .hasMessageContaining("executor lost");
        assertThat(tries[0]).isEqualTo(6);
        assertThat(heard).hasSize(5).allSatisfy(line -> assertThat(line).contains("try 1 of 2"));
    }

    @Test
    void whatWouldRepeatIsNotTriedAgain() {
        int[] tries = new int[1];
        assertThatThrownBy(() -> new Retry(3, Duration.ofMillis(1), line -> {}).run("sft", () -> 0, () -> {
                    tries[0]++;
                    throw Rlhf4jException.data("no rows");
                }))
                .hasMessage("no rows");
        assertThat(tries[0]).isEqualTo(1);
    }

    private static BarrierJob job(int ranks) {
        return job(ranks, Duration.ofSeconds(20));
    }

    private static BarrierJob job(int ranks, Duration deadline) {
        return new BarrierJob(new JavaSparkContext(session.sparkContext()), ranks, Duration.ofSeconds(2), deadline);
    }
}
