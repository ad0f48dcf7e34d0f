package io.rlhf4j.backend.cpu;

import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.BackendProvider;
import io.rlhf4j.tensor.MachineShare;
import java.util.Optional;

/** Offers {@link CpuBackend} where the Vector API is switched on and oneDNN has a build for the machine. */
public final class CpuBackendProvider implements BackendProvider {
    static final String NAME = "cpu";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public int priority() {
        return 100;
    }

    @Override
    public Optional<String> unusableBecause() {
        // Named by a string: the kernels' classes cannot be touched before the module is known to be there.
        if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
            return Optional.of(
                    "the JVM runs without the Vector API; start it with --add-modules jdk.incubator.vector, or"
                            + " training takes some ten times as long");
        }
        try {
            return KernelCheck.unusableBecause();
        } catch (LinkageError e) {
            return Optional.of("oneDNN has no build for this machine (" + e.getMessage()
                    + "); the nd4j backend takes some ten times as long");
        }
    }

    @Override
    public Backend create(MachineShare share) {
        return new CpuBackend(share.threads());
    }
}
