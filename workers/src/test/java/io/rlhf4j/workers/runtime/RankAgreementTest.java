package io.rlhf4j.workers.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.workers.runtime.RankAgreement.Claim;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RankAgreementTest {
    @Test
    void aTaskBecomesTheRankWhoseStateItsJvmHolds() {
        assertThat(RankAgreement.of(List.of(claim("a", "", 2), claim("b", "", 0), claim("c", "", 1)), Map.of()))
                .isEqualTo(new RankAgreement(List.of(2, 0, 1), true));
    }

    @Test
    void oneRankThatNobodyHoldsMakesTheStateIncomplete() {
        assertThat(RankAgreement.of(List.of(claim("a", "", 2), claim("new", ""), claim("c", "", 0)), Map.of()))
                .isEqualTo(new RankAgreement(List.of(2, 1, 0), false));
    }

    @Test
    void whereNobodyHoldsAnythingRanksStayInTheExecutorsTheyWereIn() {
        Map<String, List<Integer>> before =
                Map.of("executor-a", List.of(2), "executor-b", List.of(0), "executor-gone", List.of(1));
        assertThat(RankAgreement.of(List.of(claim("b", ""), claim("new", ""), claim("a", "")), before))
                .isEqualTo(new RankAgreement(List.of(0, 1, 2), false));
        // What is held counts more; and a rank that the job does not have is nobody's.
        assertThat(RankAgreement.of(List.of(claim("a", "", 0), claim("b", "")), before))
                .isEqualTo(new RankAgreement(List.of(0, 1), false));
        Map<String, List<Integer>> shared = Map.of("executor-a", List.of(1, 2), "executor-b", List.of(0));
        assertThat(RankAgreement.of(List.of(claim("a", ""), claim("b", ""), claim("a", "")), shared))
                .isEqualTo(new RankAgreement(List.of(1, 0, 2), false));
    }

    @Test
    void tasksOfOneJvmBecomeTheRanksOfTheirGpus() {
        StateId state = new StateId("run", "first", 1);
        WorkerRuntime runtime = new WorkerRuntime();
        keep(runtime.slot(0), state, "7");
        keep(runtime.slot(1), state, "5");
        List<Claim> claims = List.of(claim(runtime, state, "5"), claim(runtime, state, "7"));
        assertThat(RankAgreement.of(claims, Map.of())).isEqualTo(new RankAgreement(List.of(1, 0), true));
        assertThat(RankAgreement.of(List.of(claim(runtime, state, "5"), claim(runtime, state, "6")), Map.of())
                        .complete())
                .isFalse();
    }

    @Test
    void whatIsSaidIsWhatIsRead() {
        for (Claim claim : List.of(
                new Claim("jvm", "4", "host", Optional.empty(), "", new int[0]),
                new Claim("jvm", "driver", "host", Optional.of("GPU-8932"), "host:4711", new int[] {3, 1}))) {
            assertThat(Claim.parse(claim.format())).usingRecursiveComparison().isEqualTo(claim);
        }
    }

    @Test
    void twoRanksOnOneGpuAreRefusedInOneSentence() {
        RankAgreement.requireOneGpuEach(List.of(claim("a", "0"), claim("b", "1"), claim("c", ""), claim("d", "")));
        assertThatThrownBy(() ->
                        RankAgreement.requireOneGpuEach(List.of(claim("a", "0"), claim("b", "1"), claim("c", "1"))))
                .isInstanceOfSatisfying(
                        Rlhf4jException.class, error -> assertThat(error.kind()).isEqualTo(ErrorKind.CLUSTER))
                .hasMessageContaining("two ranks (tasks 1 and 2) were given GPU 1 of host")
                .hasMessageContaining("spark.task.resource.gpu.amount");
    }

    @Test
    void aRankWithoutAGpuIsRefusedWhereEachNeedsOne() {
        RankAgreement.requireGpuEach(List.of(claim("a", "0"), claim("b", "1")));
        RankAgreement.requireGpuEach(List.of(claim("alone", "")));
        assertThatThrownBy(() -> RankAgreement.requireGpuEach(List.of(claim("a", "0"), claim("b", ""))))
                .isInstanceOfSatisfying(
                        Rlhf4jException.class, error -> assertThat(error.kind()).isEqualTo(ErrorKind.CLUSTER))
                .hasMessageContaining("Spark gave none to task 1 on host")
                .hasMessageContaining("spark.task.resource.gpu.amount");
    }

    private static void keep(Slot slot, StateId state, String gpu) {
        try (Slot.Lease lease = slot.lease(Optional.of(gpu))) {
            lease.slot().give("models", state, () -> {});
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }

    private static Claim claim(WorkerRuntime runtime, StateId state, String gpu) {
        return new Claim(
                runtime.id(),
                "executor of it",
                "host",
                Optional.of(gpu),
                "",
                runtime.holding("models", state, Optional.of(gpu)));
    }

    private static Claim claim(String jvm, String gpu, int... held) {
        return new Claim(jvm, "executor-" + jvm, "host", Optional.of(gpu).filter(name -> !name.isEmpty()), "", held);
    }
}
