package io.rlhf4j.workers.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class SlotTest {
    private static final StateId STATE = new StateId("run", "first", 3);

    private final WorkerRuntime runtime = new WorkerRuntime();
    private final AtomicInteger freed = new AtomicInteger();

    @Test
    void whatIsKeptIsFoundInExactlyItsState() throws InterruptedException {
        keep(runtime.slot(0), Optional.empty());
        assertThat(runtime.holding("models", STATE, Optional.empty())).containsExactly(0);
        assertThat(runtime.holding("models", STATE.later(1), Optional.empty())).isEmpty();
        assertThat(runtime.slot(0).take("models", STATE.later(1), AutoCloseable.class))
                .isEmpty();
        assertThat(freed).hasValue(1);
    }

    @Test
    void aSlotThatGetsAnotherGpuFreesWhatItKeptOnTheOld() throws InterruptedException {
        keep(runtime.slot(0), Optional.of("0"));
        assertThat(runtime.holding("models", STATE, Optional.of("1"))).isEmpty();
        try (Slot.Lease lease = runtime.slot(0).lease(Optional.of("1"))) {
            assertThat(lease.slot().gpu()).contains("1");
            assertThat(freed).hasValue(1);
            assertThat(lease.slot().take("models", STATE, AutoCloseable.class)).isEmpty();
        }
    }

    @Test
    void aTaskThatMayTakeAnySlotTakesOneOfItsGpu() throws InterruptedException {
        keep(runtime.slot(0), Optional.of("0"));
        keep(runtime.slot(1), Optional.of("1"));
        try (Slot.Lease lease = runtime.leaseAny(Optional.of("1"));
                Slot.Lease third = runtime.leaseAny(Optional.of("1"))) {
            assertThat(lease.slot().number()).isEqualTo(1);
            assertThat(third.slot().number()).isEqualTo(2);
        }
        assertThat(freed).hasValue(0);
    }

    @Test
    void aBackendIsMadeOnceForAShareOfTheMachine() throws InterruptedException {
        try (Slot.Lease lease = runtime.slot(0).lease(Optional.of("0"))) {
            assertThat(lease.slot().backend("cpu", 1)).isSameAs(lease.slot().backend("cpu", 1));
        }
    }

    private void keep(Slot slot, Optional<String> gpu) throws InterruptedException {
        try (Slot.Lease lease = slot.lease(gpu)) {
            lease.slot().give("models", STATE, freed::incrementAndGet);
        }
    }
}
