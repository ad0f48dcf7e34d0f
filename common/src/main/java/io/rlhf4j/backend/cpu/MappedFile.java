package io.rlhf4j.backend.cpu;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import com.sun.jna.Pointer;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Memory whose pages lie in a file: the system takes them in and out of memory as it likes. The file has no name any more
 * when it is first used, so that nothing of it outlives the process, however that ends. Java's own mappings reach 2 GiB and
 * are undone when the garbage collector comes to them; these are of any size and undone at once.
 */
final class MappedFile implements NativeMemory.Lender {
    private static final int O_RDWR = 2;
    private static final int READ_AND_WRITE = 3;
    private static final int SHARED = 1;
    private static final int WILL_NEED = 3;
    private static final int DO_NOT_NEED = 4;
    private static final long PAGE = 4096;
    /** A vector load may begin at the last element. */
    private static final long SPARE = 64;

    /** What the C library does. */
    private static final class Calls {
        private final Function open = find("open");
        private final Function close = find("close");
        private final Function map = find("mmap");
        private final Function unmap = find("munmap");
        private final Function advise = find("madvise");
        private final Function reserve = Platform.isLinux() ? find("posix_fallocate") : null;

        private static Function find(String name) {
            return NativeLibrary.getInstance("c").getFunction(name);
        }
    }

    /** Loaded at the first use: not every system has such a library. */
    private static final class Loaded {
        static final Calls CALLS = new Calls();
    }

    private final long address;
    private final long length;

    private MappedFile(long address, long length) {
        this.address = address;
        this.length = length;
    }

    /** Whether this system can. */
    static boolean possible() {
        return Platform.isLinux() || Platform.isMac();
    }

    /**
     * Zeros on disk.
     *
     * @param folder of this machine
     * @throws Rlhf4jException where there is no room in it
     */
    static NativeMemory allocate(Path folder, long bytes) {
        long capacity = Math.max(bytes, SPARE);
        long length = (capacity + SPARE + PAGE - 1) & -PAGE;
        try {
            Path file = Files.createTempFile(folder, "rlhf4j-", ".tensor");
            try {
                try (RandomAccessFile sized = new RandomAccessFile(file.toFile(), "rw")) {
                    sized.setLength(length);
                }
                MappedFile mapped = new MappedFile(map(file, length), length);
                return new NativeMemory(mapped, null, mapped.address, capacity).lentFor(bytes);
            } finally {
                // What is mapped stays until it is unmapped, or the process ends.
                Files.delete(file);
            }
        } catch (IOException failed) {
            throw noRoom(folder, bytes, failed.toString(), failed);
        }
    }

    private static long map(Path file, long length) {
        Calls calls = Loaded.CALLS;
        int descriptor = calls.open.invokeInt(new Object[] {file.toString(), O_RDWR});
        if (descriptor < 0) {
            throw noRoom(file.getParent(), length, "the file cannot be opened", null);
        }
        try {
            // Without room of its own a page that is written later on would end the process.
            int error = calls.reserve == null ? 0 : calls.reserve.invokeInt(new Object[] {descriptor, 0L, length});
            if (error != 0) {
                throw noRoom(file.getParent(), length, "error %d of posix_fallocate".formatted(error), null);
            }
            Pointer mapped = calls.map.invokePointer(
                    new Object[] {Pointer.NULL, length, READ_AND_WRITE, SHARED, descriptor, 0L});
            long place = Pointer.nativeValue(mapped);
            if (place == 0 || place == -1) {
                throw noRoom(file.getParent(), length, "it cannot be mapped into memory", null);
            }
            return place;
        } finally {
            calls.close.invokeInt(new Object[] {descriptor});
        }
    }

    private static Rlhf4jException noRoom(Path folder, long bytes, String reason, Throwable cause) {
        return new Rlhf4jException(
                ErrorKind.CLUSTER,
                "%,d bytes cannot be had on the disk of %s (%s); make room, or set cluster.offload.folder to a folder with more"
                        .formatted(bytes, folder, reason),
                cause);
    }

    /** Begins to read the pages in, without waiting for them, or takes them out of the process: the file keeps them. */
    void willNeed(boolean soon) {
        int advice = soon ? WILL_NEED : DO_NOT_NEED;
        Loaded.CALLS.advise.invokeInt(new Object[] {new Pointer(address), length, advice});
    }

    @Override
    public void giveBack(NativeMemory memory) {
        Loaded.CALLS.unmap.invokeInt(new Object[] {new Pointer(address), length});
    }
}
