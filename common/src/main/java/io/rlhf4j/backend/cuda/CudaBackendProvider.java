package io.rlhf4j.backend.cuda;

import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.BackendProvider;
import io.rlhf4j.tensor.MachineShare;
import java.util.List;
import java.util.Optional;

/** Offers {@link CudaBackend} where there is an NVIDIA GPU of compute capability 8.0 or newer, with CUDA's libraries. */
public final class CudaBackendProvider implements BackendProvider {
    static final String NAME = "cuda";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public int priority() {
        return 200;
    }

    @Override
    public Optional<String> unusableBecause() {
        try {
            return Libraries.driverMissing()
                    .or(Device::noneBecause)
                    .or(CudaBackendProvider::tooOld)
                    .or(Libraries::missing);
        } catch (LinkageError noJna) {
            return Optional.of("C libraries cannot be called from this JVM (" + noJna.getMessage() + ")");
        }
    }

    private static Optional<String> tooOld() {
        List<Optional<String>> obstacles =
                Device.all().stream().map(Device::unusableBecause).toList();
        return obstacles.stream().anyMatch(Optional::isEmpty) ? Optional.empty() : obstacles.get(0);
    }

    @Override
    public boolean isExpected() {
        return Libraries.driverMissing().isEmpty() && Device.noneBecause().isEmpty();
    }

    /** The backend; a GPU is shared by all of this JVM that are made without an address. */
    @Override
    public Backend create(MachineShare share) {
        return new CudaBackend(share.gpu());
    }
}
