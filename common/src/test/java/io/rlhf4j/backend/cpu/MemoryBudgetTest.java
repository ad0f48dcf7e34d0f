package io.rlhf4j.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import org.junit.jupiter.api.Test;

class MemoryBudgetTest {
    private static final long MEBIBYTE = 1L << 20;

    @Test
    void poolsTogetherGetWhatIsAllowedAndIdleMemoryOfOneServesTheOthers() {
        NativeCalls calls = new NativeCalls(new OneDnn().library());
        MemoryBudget budget = new MemoryBudget(10 * MEBIBYTE);
        MemoryPool first = new MemoryPool(calls, budget);
        MemoryPool second = new MemoryPool(calls, budget);

        NativeMemory idle = first.allocate(3 * MEBIBYTE);
        NativeMemory held = first.allocate(3 * MEBIBYTE);
        idle.free();
        // Too much beside what is idle in the first pool, which is given up for it.
        NativeMemory wanted = second.allocate(5 * MEBIBYTE);

        assertThatThrownBy(() -> first.allocate(3 * MEBIBYTE))
                .isInstanceOfSatisfying(
                        Rlhf4jException.class, error -> assertThat(error.kind()).isEqualTo(ErrorKind.CLUSTER))
                .hasMessageContaining("10,485,760 allowed in this process");
        wanted.free();
        // A refusal costs nothing: now there is room.
        first.allocate(3 * MEBIBYTE).free();
        held.free();
    }

    @Test
    void aWeightForWhichMemoryDoesNotSufficeLeavesNoPartOfItsCopyBehind() {
        OneDnn oneDnn = new OneDnn();
        NativeCalls calls = new NativeCalls(oneDnn.library());
        MemoryPool memories = new MemoryPool(calls, new MemoryBudget(3 * MEBIBYTE / 2));
        WorkerPool workers = new WorkerPool(1, () -> new Workspace(memories, oneDnn), calls::oneThread);
        WeightPacking packing = new WeightPacking(workers, memories, oneDnn);
        assumeTrue(packing.packsInt8(2048), "on this processor rounded weights lie as others do");
        try (Scope scope = Scope.root(new CpuBackend(1), "weight")) {
            // Two parts of a mebibyte.
            Tensor weight = scope.zeros(DType.BF16, 1024, 2048);

            assertThatThrownBy(() -> packing.packInt8(weight)).isInstanceOf(Rlhf4jException.class);
            memories.allocate(MEBIBYTE).free();
        }
    }
}
