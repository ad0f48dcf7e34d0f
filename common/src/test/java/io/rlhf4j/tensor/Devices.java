package io.rlhf4j.tensor;

import org.junit.jupiter.api.Assumptions;

/** Backends that need a device which a machine may not have: tests of them are skipped there, and say why. */
public final class Devices {
    private Devices() {}

    /** The backend called {@code cuda}; without an NVIDIA GPU the test that asks is skipped. */
    public static Backend cuda() {
        BackendProvider provider = java.util.ServiceLoader.load(BackendProvider.class).stream()
                .map(java.util.ServiceLoader.Provider::get)
                .filter(candidate -> candidate.name().equals("cuda"))
                .findFirst()
                .orElseThrow();
        provider.unusableBecause()
                .ifPresent(obstacle -> Assumptions.abort("skipped, the backend 'cuda' cannot run here: " + obstacle));
        return provider.create(MachineShare.ofThreads(1));
    }
}
