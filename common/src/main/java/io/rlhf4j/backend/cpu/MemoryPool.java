package io.rlhf4j.backend.cpu;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.bytedeco.javacpp.Pointer;

/**
 * Lends native memory and keeps what comes back for the next one who asks for as much: a training step asks for the same
 * sizes again and again, and fresh memory costs a page fault every few kilobytes.
 *
 * <p>Sizes are rounded up to steps of an eighth of a power of two. When a size is asked for that is not there, idle memory
 * beyond a sixteenth of what is lent, and beyond a floor, goes back to the system; all of it where a {@link MemoryBudget} is
 * used up.
 */
final class MemoryPool implements NativeMemory.Lender {
    private static final long ALIGNMENT = 64;
    private static final long HUGE_PAGE = 2L << 20;
    private static final long IDLE_FLOOR = 256L << 20;

    private final ReentrantLock lock = new ReentrantLock();
    private final Map<Long, ArrayDeque<NativeMemory>> idle = new HashMap<>();
    private final NativeCalls calls;
    private final MemoryBudget budget;
    private long idleBytes;
    private long lentBytes;

    MemoryPool(NativeCalls calls, MemoryBudget budget) {
        this.calls = calls;
        this.budget = budget;
        budget.join(this);
    }

    /** At least {@code bytes} bytes, not set. */
    NativeMemory allocate(long bytes) {
        long capacity = sizeClass(Math.max(bytes, ALIGNMENT));
        NativeMemory memory = borrowed(capacity);
        if (memory == null) {
            try {
                memory = fresh(capacity);
            } catch (RuntimeException | Error refused) {
                lend(-capacity);
                throw refused;
            }
        }
        return memory.lentFor(bytes);
    }

    /** Idle memory of that size; null where there is none, and room is to be made for fresh memory. */
    private NativeMemory borrowed(long capacity) {
        lock.lock();
        try {
            ArrayDeque<NativeMemory> same = idle.get(capacity);
            NativeMemory memory = same == null ? null : same.pollLast();
            if (memory == null) {
                trim(Math.max(IDLE_FLOOR, lentBytes / 16) - capacity);
            } else {
                idleBytes -= capacity;
            }
            lentBytes += capacity;
            return memory;
        } finally {
            lock.unlock();
        }
    }

    private void lend(long capacity) {
        lock.lock();
        lentBytes += capacity;
        lock.unlock();
    }

    @Override
    public void giveBack(NativeMemory memory) {
        lock.lock();
        try {
            lentBytes -= memory.capacity();
            idleBytes += memory.capacity();
            idle.computeIfAbsent(memory.capacity(), size -> new ArrayDeque<>()).addLast(memory);
        } finally {
            lock.unlock();
        }
    }

    private NativeMemory fresh(long capacity) {
        long alignment = capacity >= 2 * HUGE_PAGE ? HUGE_PAGE : ALIGNMENT;
        // A vector load may begin at the last element: a spare vector behind the end keeps it inside.
        // What is only there to be skipped is never touched, so that it takes no memory.
        budget.take(capacity);
        Pointer allocation = Pointer.malloc(capacity + alignment + ALIGNMENT);
        if (allocation == null || allocation.isNull()) {
            budget.give(capacity);
            throw new OutOfMemoryError("the system gives no more memory: " + capacity + " bytes asked, " + lentBytes
                    + " lent, " + idleBytes + " idle");
        }
        long address = (allocation.address() + alignment - 1) & -alignment;
        if (alignment == HUGE_PAGE) {
            calls.preferHugePages(address, capacity);
        }
        return new NativeMemory(this, allocation, address, capacity);
    }

    /** Gives all idle memory back to the system. */
    void releaseIdle() {
        lock.lock();
        try {
            trim(0);
        } finally {
            lock.unlock();
        }
    }

    private void trim(long limit) {
        for (ArrayDeque<NativeMemory> same : idle.values()) {
            while (!same.isEmpty() && idleBytes > limit) {
                NativeMemory memory = same.pollFirst();
                idleBytes -= memory.capacity();
                budget.give(memory.capacity());
                Pointer.free(memory.allocation());
            }
        }
    }

    /** The smallest of 64 * {8, 9, ..., 15} * 2^i that is not below {@code bytes}. */
    static long sizeClass(long bytes) {
        long lines = (bytes + ALIGNMENT - 1) / ALIGNMENT;
        if (lines <= 8) {
            return lines * ALIGNMENT;
        }
        int shift = 63 - Long.numberOfLeadingZeros(lines - 1) - 3;
        long step = 1L << Math.max(0, shift);
        return (lines + step - 1) / step * step * ALIGNMENT;
    }
}
