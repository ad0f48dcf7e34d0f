package io.rlhf4j.workers.collective.nccl;

import io.rlhf4j.backend.cuda.DeviceGroup;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.Backends;
import io.rlhf4j.tensor.MachineShare;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Assumptions;

/** This machine's GPUs, for tests of NCCL: where there are too few, or no NCCL, such a test is skipped and says why. */
final class Gpus {
    private static final Map<Integer, Backend> BACKENDS = new ConcurrentHashMap<>();

    private Gpus() {}

    /** Skips the test that asks, unless there are as many. */
    static void require(int number) {
        try {
            for (int gpu = 0; gpu < number; gpu++) {
                backend(gpu);
            }
        } catch (Rlhf4jException tooFew) {
            Assumptions.abort("skipped, it needs %d GPU(s): %s".formatted(number, tooFew.getMessage()));
        }
        DeviceGroup.unusableBecause().ifPresent(obstacle -> Assumptions.abort("skipped: " + obstacle));
    }

    /** The backend on one of them. */
    static Backend backend(int gpu) {
        return BACKENDS.computeIfAbsent(gpu, number -> Backends.onClassPath()
                .choose("cuda", new MachineShare(1, Optional.of(Integer.toString(number))))
                .backend());
    }
}
