package io.rlhf4j.backend.cpu;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import com.sun.jna.Pointer;

/** The two calls into C libraries that no Java binding offers: OpenMP's thread count, and large memory pages. */
final class NativeCalls {
    private static final int MADV_HUGEPAGE = 14;

    private final Function setThreads;
    private final Function advise;
    private final ThreadLocal<Boolean> alone = ThreadLocal.withInitial(() -> false);

    /**
     * @param library path of a loaded library that depends on the OpenMP in question
     */
    NativeCalls(String library) {
        this.setThreads = find(library, "omp_set_num_threads");
        this.advise = Platform.isLinux() ? find("c", "madvise") : null;
    }

    private static Function find(String library, String name) {
        try {
            // Looked up through the dependent: a process may hold several OpenMP libraries.
            return NativeLibrary.getInstance(library).getFunction(name);
        } catch (UnsatisfiedLinkError e) {
            return null;
        }
    }

    /** Whether {@link #oneThread} works here. */
    boolean controlsThreads() {
        return setThreads != null;
    }

    /** From now on OpenMP runs what the calling thread asks for on the calling thread alone. */
    void oneThread() {
        if (setThreads != null && !alone.get()) {
            setThreads.invokeVoid(new Object[] {1});
            alone.set(true);
        }
    }

    /** Asks for 2 MiB pages, which the system may refuse. */
    void preferHugePages(long address, long bytes) {
        if (advise != null) {
            advise.invokeInt(new Object[] {new Pointer(address), bytes, MADV_HUGEPAGE});
        }
    }
}
