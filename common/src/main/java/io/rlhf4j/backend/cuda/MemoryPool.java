package io.rlhf4j.backend.cuda;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;

/**
 * Lends a device's memory and keeps what comes back for the next one who asks for as much. All use of it is in the order of
 * one stream, so a piece can be lent again while the work that used it is still waiting.
 *
 * <p>Sizes are rounded up to steps of an eighth of a power of two. When the device has no more, all that is idle goes back
 * to it first.
 */
final class MemoryPool {
    private static final long ALIGNMENT = 256;

    private final Stream stream;
    private final Map<Long, ArrayDeque<Long>> idle = new HashMap<>();
    /** What a pass that is being recorded has given back: for itself alone. */
    private Map<Long, ArrayDeque<Long>> recorded;

    private long idleBytes;
    private long lentBytes;

    MemoryPool(Stream stream) {
        this.stream = stream;
    }

    /** At least {@code bytes} bytes, not set, at a multiple of 256. */
    synchronized DeviceMemory allocate(long bytes) {
        long capacity = sizeClass(Math.max(bytes, 1));
        Long address = recorded == null ? null : poll(recorded, capacity);
        if (address == null) {
            address = poll(idle, capacity);
            if (address == null) {
                address = fresh(capacity);
            } else {
                idleBytes -= capacity;
            }
        }
        lentBytes += capacity;
        return new DeviceMemory(this, address, capacity, bytes);
    }

    synchronized void giveBack(DeviceMemory memory) {
        lentBytes -= memory.capacity();
        if (recorded == null) {
            keep(memory.capacity(), memory.address());
        } else {
            add(recorded, memory.capacity(), memory.address());
        }
    }

    /** From now on what comes back is kept apart: a recorded pass uses its memory again whenever it is run. */
    synchronized void beginRecording() {
        recorded = new HashMap<>();
    }

    /** What the recorded pass gave back, by size, until {@link #release}. */
    synchronized Map<Long, ArrayDeque<Long>> endRecording() {
        Map<Long, ArrayDeque<Long>> result = recorded;
        recorded = null;
        return result;
    }

    /** Nobody runs the recorded pass again. */
    synchronized void release(Map<Long, ArrayDeque<Long>> ofPass) {
        ofPass.forEach((capacity, addresses) -> addresses.forEach(address -> keep(capacity, address)));
    }

    private void keep(long capacity, long address) {
        idleBytes += capacity;
        add(idle, capacity, address);
    }

    private static void add(Map<Long, ArrayDeque<Long>> pieces, long capacity, long address) {
        pieces.computeIfAbsent(capacity, size -> new ArrayDeque<>()).addLast(address);
    }

    private static Long poll(Map<Long, ArrayDeque<Long>> pieces, long capacity) {
        ArrayDeque<Long> same = pieces.get(capacity);
        return same == null ? null : same.pollLast();
    }

    private long fresh(long capacity) {
        stream.enter();
        long[] address = new long[1];
        int result = DriverApi.cuMemAlloc_v2(address, capacity);
        if (result == DriverApi.OUT_OF_MEMORY && idleBytes > 0 && recorded == null) {
            releaseIdle();
            result = DriverApi.cuMemAlloc_v2(address, capacity);
        }
        if (result == DriverApi.OUT_OF_MEMORY) {
            throw exhausted(capacity);
        }
        Calls.driver(result, "cuMemAlloc");
        return address[0];
    }

    private void releaseIdle() {
        stream.await();
        for (ArrayDeque<Long> same : idle.values()) {
            while (!same.isEmpty()) {
                Calls.driver(DriverApi.cuMemFree_v2(same.pollLast()), "cuMemFree");
            }
        }
        idleBytes = 0;
    }

    private Rlhf4jException exhausted(long capacity) {
        long[] free = new long[1];
        long[] total = new long[1];
        Calls.driver(DriverApi.cuMemGetInfo_v2(free, total), "cuMemGetInfo");
        return new Rlhf4jException(
                ErrorKind.CLUSTER,
                ("the GPU's memory is full: %d MiB more are asked for, this backend holds %d MiB, and %d of %d MiB are free;"
                                + " take smaller micro-batches, activation checkpointing or a higher ZeRO stage; rlhf4j plan shows what"
                                + " each of them saves")
                        .formatted(capacity >> 20, lentBytes >> 20, free[0] >> 20, total[0] >> 20));
    }

    /** The smallest of 256 * {8, 9, ..., 15} * 2^i that is not below {@code bytes}. */
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
