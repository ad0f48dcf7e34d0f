package io.rlhf4j.backend.cpu;

import java.util.Optional;

/** Whether the kernels can run in this JVM. Loads oneDNN and the Vector API. */
final class KernelCheck {
    private static final int NARROWEST = 4;

    private KernelCheck() {}

    static Optional<String> unusableBecause() {
        if (Lanes.WIDTH < NARROWEST) {
            return Optional.of("the processor has no vector instructions that the JVM can use");
        }
        new OneDnn();
        return Optional.empty();
    }
}
