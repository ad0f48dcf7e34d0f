package io.rlhf4j.backend.cuda;

import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Storage;

/** A weight [outputs, inputs] rounded to eight bits, row by row, and behind it the scales of its outputs. */
final class Int8Weight implements Storage {
    private static final int ALIGNMENT = 256;

    private final DeviceMemory memory;
    private final int outputs;
    private final int inputs;

    Int8Weight(MemoryPool memories, int outputs, int inputs) {
        this.outputs = outputs;
        this.inputs = inputs;
        this.memory = memories.allocate(codeBytes() + (long) Float.BYTES * outputs);
    }

    int outputs() {
        return outputs;
    }

    int inputs() {
        return inputs;
    }

    long elements() {
        return (long) outputs * inputs;
    }

    /** Where the whole numbers lie. */
    long codes() {
        return memory.address();
    }

    /** Where the scales lie, fp32. */
    long scales() {
        return memory.address() + codeBytes();
    }

    private long codeBytes() {
        return (elements() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    @Override
    public long bytes() {
        return memory.bytes();
    }

    @Override
    public long elements(DType type) {
        return elements();
    }

    @Override
    public void free() {
        memory.free();
    }
}
