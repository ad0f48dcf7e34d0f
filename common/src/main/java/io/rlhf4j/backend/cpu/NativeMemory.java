package io.rlhf4j.backend.cpu;

import io.rlhf4j.tensor.Storage;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;

/**
 * A piece of memory outside the heap, aligned to 64 bytes, borrowed from a {@link MemoryPool} or lying in a {@link MappedFile}.
 *
 * <p>A direct buffer reaches under 2 GiB. Larger memory is seen through windows that begin every GiB and reach two, so that
 * whatever starts in a window and is shorter than one GiB lies in it.
 */
final class NativeMemory implements Storage {
    private static final int WINDOW_SHIFT = 30;
    private static final long WINDOW_MASK = (1L << WINDOW_SHIFT) - 1;
    private static final long WINDOW_BYTES = Integer.MAX_VALUE - 63;

    /** Where memory comes from. */
    interface Lender {
        /** Nobody uses it any more. */
        void giveBack(NativeMemory memory);
    }

    private final Lender lender;
    private final Pointer allocation;
    private final long address;
    private final long capacity;
    private final Object[] windows;
    private long bytes;

    /** Memory of {@code capacity} bytes at {@code address}, somewhere inside {@code allocation}. */
    NativeMemory(Lender lender, Pointer allocation, long address, long capacity) {
        this.lender = lender;
        this.allocation = allocation;
        this.address = address;
        this.capacity = capacity;
        this.bytes = capacity;
        this.windows = new Object[(int) ((capacity + WINDOW_MASK) >>> WINDOW_SHIFT)];
        for (int i = 0; i < windows.length; i++) {
            long begin = (long) i << WINDOW_SHIFT;
            BytePointer window = new BytePointer(new Address(address + begin));
            window.capacity(Math.min(WINDOW_BYTES, capacity - begin));
            windows[i] = Lanes.view(window.asByteBuffer(), address + begin);
        }
    }

    /** Where the first byte lies. */
    long address() {
        return address;
    }

    /** What a vector is loaded from at byte {@code offset}; {@link #inWindow} is the place in it. */
    Object window(long offset) {
        return windows[(int) (offset >>> WINDOW_SHIFT)];
    }

    /** A buffer over {@code count} bytes from byte {@code from} on, in the machine's byte order. */
    ByteBuffer bytes(long from, int count) {
        BytePointer pointer = new BytePointer(new Address(address + from));
        // A pointer of capacity 0 gives a buffer of one byte.
        return pointer.capacity(count).asByteBuffer().limit(count).order(ByteOrder.nativeOrder());
    }

    /** Byte {@code offset} of this memory as an offset in its {@link #window}. */
    static long inWindow(long offset) {
        return offset & WINDOW_MASK;
    }

    /** Bytes that the pool set aside, at least {@link #bytes()}. */
    long capacity() {
        return capacity;
    }

    /** Begins to read what lies on disk, or lets it go there; nothing where it is in memory. */
    void willNeed(boolean soon) {
        if (lender instanceof MappedFile file) {
            file.willNeed(soon);
        }
    }

    Pointer allocation() {
        return allocation;
    }

    NativeMemory lentFor(long wanted) {
        bytes = wanted;
        return this;
    }

    @Override
    public long bytes() {
        return bytes;
    }

    @Override
    public void free() {
        lender.giveBack(this);
    }

    /** A pointer to a known place. */
    static final class Address extends Pointer {
        Address(long address) {
            this.address = address;
        }

        Address at(long newAddress) {
            this.address = newAddress;
            return this;
        }
    }
}
