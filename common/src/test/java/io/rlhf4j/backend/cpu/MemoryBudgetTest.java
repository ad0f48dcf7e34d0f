package io.rlhf4j.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
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
}
