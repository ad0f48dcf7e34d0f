package io.rlhf4j.backend.nd4j;

import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.BackendProvider;
import io.rlhf4j.tensor.MachineShare;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.Properties;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.factory.Nd4jBackend;
import org.nd4j.nativeblas.NativeOps;
import org.nd4j.nativeblas.NativeOpsHolder;

/** Offers whichever ND4J backend is on the class path, unless its GPUs are of a kind that ND4J cannot drive. */
public final class NdArrayBackendProvider implements BackendProvider {
    @Override
    public String name() {
        return NdArrayBackend.NAME;
    }

    @Override
    public int priority() {
        return 10;
    }

    @Override
    public Optional<String> unusableBecause() {
        try {
            return isCuda(Nd4jBackend.load()) ? undrivableDevice() : Optional.empty();
        } catch (Nd4jBackend.NoAvailableBackendException | RuntimeException | LinkageError noLibrary) {
            return Optional.of(("no ND4J backend loads on this machine (%s); the processor's needs the jar of this"
                            + " platform, the CUDA one an NVIDIA card and the libraries of CUDA 11.6")
                    .formatted(noLibrary.getMessage()));
        }
    }

    private static boolean isCuda(Nd4jBackend backend) {
        return !backend.getEnvironment().isCPU();
    }

    private static Optional<String> undrivableDevice() {
        NativeOps natives = NativeOpsHolder.getInstance().getDeviceNativeOps();
        for (int device = 0; device < natives.getAvailableDevices(); device++) {
            Optional<String> obstacle = CudaDevice.of(natives, device).undrivableBecause();
            if (obstacle.isPresent()) {
                return obstacle;
            }
        }
        return Optional.empty();
    }

    @Override
    public Optional<String> drawback() {
        return Optional.of("it is written as a reference; on a CPU, a training step takes some ten times as long as on"
                + " the cpu backend");
    }

    /** The backend; the threads hold for all of ND4J in this JVM. */
    @Override
    public Backend create(MachineShare share) {
        int threads = share.threads();
        Nd4j.getEnvironment().setMaxThreads(threads);
        Nd4j.getEnvironment().setMaxMasterThreads(threads);
        return new NdArrayBackend("ND4J %s on %s, %s, %d threads"
                .formatted(
                        version(),
                        Nd4j.getBackend().getClass().getSimpleName(),
                        Nd4j.getExecutioner().getEnvironmentInformation().getProperty("blas.vendor"),
                        threads));
    }

    /** ND4J's manifest has no version; the file that Maven puts into each jar has. */
    private static String version() {
        Properties properties = new Properties();
        try (InputStream file = Nd4j.class.getResourceAsStream("/META-INF/maven/org.nd4j/nd4j-api/pom.properties")) {
            if (file != null) {
                properties.load(file);
            }
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
        return properties.getProperty("version", "of unknown version");
    }
}
