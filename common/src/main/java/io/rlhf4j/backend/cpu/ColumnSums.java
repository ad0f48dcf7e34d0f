package io.rlhf4j.backend.cpu;

import static io.rlhf4j.backend.cpu.Lanes.WIDTH;

import jdk.incubator.vector.FloatVector;

/** Adds rows of a matrix to a row of fp32 sums, column by column, four rows in one pass over the sums. */
final class ColumnSums {
    private ColumnSums() {}

    /** {@code sums += } rows [first, end) of the {@code count} columns from {@code column} on, one row after the other. */
    static void add(Rows source, int first, int end, int column, Span sums, int count) {
        int row = first;
        for (; row <= end - 4; row += 4) {
            long a = source.byteOffset(row, column);
            long b = source.byteOffset(row + 1, column);
            long c = source.byteOffset(row + 2, column);
            long d = source.byteOffset(row + 3, column);
            if (source.isBf16()) {
                addFourBf16(
                        source.memory.window(a),
                        NativeMemory.inWindow(a),
                        source.memory.window(b),
                        NativeMemory.inWindow(b),
                        source.memory.window(c),
                        NativeMemory.inWindow(c),
                        source.memory.window(d),
                        NativeMemory.inWindow(d),
                        sums.memory,
                        sums.offset,
                        count);
            } else {
                addFour(
                        source.memory.window(a),
                        NativeMemory.inWindow(a),
                        source.memory.window(b),
                        NativeMemory.inWindow(b),
                        source.memory.window(c),
                        NativeMemory.inWindow(c),
                        source.memory.window(d),
                        NativeMemory.inWindow(d),
                        sums.memory,
                        sums.offset,
                        count);
            }
        }
        for (; row < end; row++) {
            long place = source.byteOffset(row, column);
            Object memory = source.memory.window(place);
            addOne(memory, NativeMemory.inWindow(place), source.isBf16(), sums.memory, sums.offset, count);
        }
    }

    private static void addFour(
            Object a, long aAt, Object b, long bAt, Object c, long cAt, Object d, long dAt, Object s, long at, int n) {
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            FloatVector sum = Lanes.load(s, at + 4L * i).add(Lanes.load(a, aAt + 4L * i));
            sum = sum.add(Lanes.load(b, bAt + 4L * i)).add(Lanes.load(c, cAt + 4L * i));
            Lanes.store(sum.add(Lanes.load(d, dAt + 4L * i)), s, at + 4L * i);
        }
        for (; i < n; i++) {
            float sum = Lanes.get(s, at + 4L * i) + Lanes.get(a, aAt + 4L * i);
            sum = sum + Lanes.get(b, bAt + 4L * i) + Lanes.get(c, cAt + 4L * i);
            Lanes.set(s, at + 4L * i, sum + Lanes.get(d, dAt + 4L * i));
        }
    }

    private static void addFourBf16(
            Object a, long aAt, Object b, long bAt, Object c, long cAt, Object d, long dAt, Object s, long at, int n) {
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            FloatVector sum = Lanes.load(s, at + 4L * i).add(Lanes.loadBf16(a, aAt + 2L * i));
            sum = sum.add(Lanes.loadBf16(b, bAt + 2L * i)).add(Lanes.loadBf16(c, cAt + 2L * i));
            Lanes.store(sum.add(Lanes.loadBf16(d, dAt + 2L * i)), s, at + 4L * i);
        }
        for (; i < n; i++) {
            float sum = Lanes.get(s, at + 4L * i) + Lanes.getBf16(a, aAt + 2L * i);
            sum = sum + Lanes.getBf16(b, bAt + 2L * i) + Lanes.getBf16(c, cAt + 2L * i);
            Lanes.set(s, at + 4L * i, sum + Lanes.getBf16(d, dAt + 2L * i));
        }
    }

    private static void addOne(Object a, long aAt, boolean bf16, Object s, long at, int n) {
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            FloatVector row = bf16 ? Lanes.loadBf16(a, aAt + 2L * i) : Lanes.load(a, aAt + 4L * i);
            Lanes.store(Lanes.load(s, at + 4L * i).add(row), s, at + 4L * i);
        }
        for (; i < n; i++) {
            float value = bf16 ? Lanes.getBf16(a, aAt + 2L * i) : Lanes.get(a, aAt + 4L * i);
            Lanes.set(s, at + 4L * i, Lanes.get(s, at + 4L * i) + value);
        }
    }
}
