package io.rlhf4j.backend.cuda;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Finds NVIDIA's libraries where the machine has them: by the loader's own search (LD_LIBRARY_PATH, ldconfig), in
 * CUDA_HOME, in /usr/local/cuda. The driver must know CUDA 12 or newer; NVRTC and cuBLAS may be those of 12 or 13. NCCL is
 * asked for by those who need it.
 */
final class Libraries {
    private static final int OLDEST = 12;
    private static final int NEWEST = 13;
    private static final String DRIVER = "libcuda.so.1";
    private static final String NCCL = "libnccl.so.2";

    private Libraries() {}

    /** Set once: what is missing; empty when all three are loaded. */
    private static final class Loaded {
        private static final Optional<String> DRIVER_MISSING = loadDriver();
        private static final Optional<String> MISSING = DRIVER_MISSING.isPresent() ? DRIVER_MISSING : loadToolkit();
    }

    /** Set once, when it is first asked for: most runs need no NCCL. */
    private static final class LoadedNccl {
        private static final Optional<String> MISSING = loadNccl();
    }

    /** Why NCCL cannot be called, in one clause; empty when it can. */
    static Optional<String> ncclMissing() {
        return LoadedNccl.MISSING;
    }

    /** Why the driver cannot be called, in one clause; empty when it can. */
    static Optional<String> driverMissing() {
        return Loaded.DRIVER_MISSING;
    }

    /** Why driver, NVRTC and cuBLAS cannot all be called, in one clause; empty when they can. */
    static Optional<String> missing() {
        return Loaded.MISSING;
    }

    private static Optional<String> loadDriver() {
        NativeLibrary driver;
        try {
            driver = NativeLibrary.getInstance(DRIVER);
        } catch (UnsatisfiedLinkError notThere) {
            return Optional.of("this machine has no NVIDIA driver (" + DRIVER + ")");
        }
        try {
            Native.register(DriverApi.class, driver);
            return Optional.empty();
        } catch (UnsatisfiedLinkError tooOld) {
            return Optional.of("the NVIDIA driver is too old for CUDA 12 (%s)".formatted(tooOld.getMessage()));
        }
    }

    private static Optional<String> loadToolkit() {
        List<String> tried = new ArrayList<>();
        for (int major = NEWEST; major >= OLDEST; major--) {
            String compiler = "libnvrtc.so." + major;
            String products = "libcublas.so." + major;
            for (String folder : folders()) {
                try {
                    NativeLibrary cublasLt = NativeLibrary.getInstance(folder + "libcublasLt.so." + major);
                    preload(folder, major);
                    NativeLibrary nvrtc = NativeLibrary.getInstance(folder + compiler);
                    NativeLibrary cublas = NativeLibrary.getInstance(folder + products);
                    Native.register(NvrtcApi.class, nvrtc);
                    Native.register(CublasApi.class, cublas);
                    Native.register(CublasLtApi.class, cublasLt);
                    return Optional.empty();
                } catch (UnsatisfiedLinkError notThere) {
                    tried.add(folder + compiler + " and " + folder + products);
                }
            }
        }
        return Optional.of(
                ("CUDA's compiler and matrix library are not found (tried %s); install the CUDA toolkit's run-time"
                                + " libraries, or point CUDA_HOME or LD_LIBRARY_PATH at them")
                        .formatted(String.join(", ", tried)));
    }

    private static Optional<String> loadNccl() {
        for (String folder : folders()) {
            NativeLibrary nccl;
            try {
                nccl = NativeLibrary.getInstance(folder + NCCL);
            } catch (UnsatisfiedLinkError notThere) {
                continue;
            }
            return register(nccl);
        }
        return Optional.of("NCCL is not found (tried %s); install libnccl2, or point CUDA_HOME or LD_LIBRARY_PATH at it"
                .formatted(folders().stream().map(folder -> folder + NCCL).collect(Collectors.joining(", "))));
    }

    private static Optional<String> register(NativeLibrary nccl) {
        try {
            Native.register(NcclApi.class, nccl);
        } catch (UnsatisfiedLinkError tooOld) {
            return Optional.of(
                    "%s is too old, and NCCL 2.14 is needed (%s)".formatted(nccl.getFile(), tooOld.getMessage()));
        }
        int[] version = new int[1];
        int result = NcclApi.ncclGetVersion(version);
        return result == NcclApi.SUCCESS && version[0] >= NcclApi.OLDEST
                ? Optional.empty()
                : Optional.of(
                        "%s is NCCL %d, and 2.14 (%d) is needed".formatted(nccl.getFile(), version[0], NcclApi.OLDEST));
    }

    /** What NVRTC opens by name alone is found once it is loaded. */
    private static void preload(String folder, int major) {
        if (folder.isEmpty()) {
            return;
        }
        for (int minor = 0; minor <= 9; minor++) {
            Path builtins = Path.of(folder + "libnvrtc-builtins.so." + major + "." + minor);
            if (Files.exists(builtins)) {
                NativeLibrary.getInstance(builtins.toString());
            }
        }
    }

    /** Prefixes of the libraries' names, in the order in which they are tried. */
    private static List<String> folders() {
        List<String> folders = new ArrayList<>(List.of(""));
        for (String variable : List.of("CUDA_HOME", "CUDA_PATH")) {
            String home = System.getenv(variable);
            if (home != null && !home.isBlank()) {
                folders.add(home + "/lib64/");
                folders.add(home + "/lib/");
            }
        }
        folders.add("/usr/local/cuda/lib64/");
        return folders;
    }
}
