package io.rlhf4j.backend.cpu;

/** A place in native memory where fp32 numbers lie, as vector loads take it. Reused by its {@link Workspace}. */
final class Span {
    /** What {@link Lanes} loads from. */
    Object memory;

    /** Byte offset of the first number in {@link #memory}. */
    long offset;

    private Rows target;
    private long targetRow;
    private long targetColumn;
    private int targetCount;

    Span at(NativeMemory place, long byteOffset) {
        memory = place.window(byteOffset);
        offset = NativeMemory.inWindow(byteOffset);
        target = null;
        return this;
    }

    Span willNarrowTo(Rows rows, long row, long column, int count) {
        target = rows;
        targetRow = row;
        targetColumn = column;
        targetCount = count;
        return this;
    }

    /** Takes an output to its tensor: rounds it to bf16 where the tensor is; fp32 outputs lie there already. */
    void finish() {
        if (target != null) {
            long place = target.byteOffset(targetRow, targetColumn);
            Conversion.narrow(memory, offset, target.memory.window(place), NativeMemory.inWindow(place), targetCount);
            target = null;
        }
    }
}
