package io.rlhf4j.backend.cuda;

import io.rlhf4j.tensor.Storage;

/** A piece of a device's memory, lent by a {@link MemoryPool}. */
final class DeviceMemory implements Storage, AutoCloseable {
    private final MemoryPool pool;
    private final long address;
    private final long capacity;
    private final long bytes;
    private boolean free;

    DeviceMemory(MemoryPool pool, long address, long capacity, long bytes) {
        this.pool = pool;
        this.address = address;
        this.capacity = capacity;
        this.bytes = bytes;
    }

    long address() {
        return address;
    }

    long capacity() {
        return capacity;
    }

    @Override
    public long bytes() {
        return bytes;
    }

    @Override
    public void free() {
        if (free) {
            throw new IllegalStateException("device memory of " + bytes + " bytes is given back a second time");
        }
        free = true;
        pool.giveBack(this);
    }

    /** {@link #free}, for memory that serves one operation. */
    @Override
    public void close() {
        free();
    }
}
