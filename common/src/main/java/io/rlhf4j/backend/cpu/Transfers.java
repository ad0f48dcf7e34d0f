package io.rlhf4j.backend.cpu;

import io.rlhf4j.tensor.Tensor;
import java.util.Arrays;
import java.util.stream.IntStream;

/** Numbers into, out of and between tensors; rows by index. */
final class Transfers {
    private static final int ELEMENTS_PER_PIECE = 32_768;
    private static final int ROWS_PER_PIECE = 16;
    private static final int COLUMNS_PER_PIECE = 384;
    /** How many rows a column's sum runs over before it joins the total: keeps rounding errors of long sums small. */
    private static final int ROWS_PER_SUM = 64;

    private final WorkerPool workers;

    Transfers(WorkerPool workers) {
        this.workers = workers;
    }

    private static int grain(int columns) {
        return Math.max(1, ELEMENTS_PER_PIECE / Math.max(1, columns));
    }

    void write(Tensor target, float[] source, int from) {
        Rows rows = Rows.of(target);
        int n = target.columns();
        workers.forRanges(rows.count, grain(n), (first, end, workspace) -> {
            for (int row = first; row < end; row++) {
                long place = rows.byteOffset(row, 0);
                Object window = rows.memory.window(place);
                long at = NativeMemory.inWindow(place);
                int index = from + row * n;
                if (rows.isBf16()) {
                    for (int i = 0; i < n; i++) {
                        Lanes.setBf16(window, at + 2L * i, source[index + i]);
                    }
                } else {
                    for (int i = 0; i < n; i++) {
                        Lanes.set(window, at + 4L * i, source[index + i]);
                    }
                }
            }
        });
    }

    void read(Tensor source, float[] target, int from) {
        Rows rows = Rows.of(source);
        int n = source.columns();
        workers.forRanges(rows.count, grain(n), (first, end, workspace) -> {
            for (int row = first; row < end; row++) {
                long place = rows.byteOffset(row, 0);
                Object window = rows.memory.window(place);
                long at = NativeMemory.inWindow(place);
                int index = from + row * n;
                if (rows.isBf16()) {
                    for (int i = 0; i < n; i++) {
                        target[index + i] = Lanes.getBf16(window, at + 2L * i);
                    }
                } else {
                    for (int i = 0; i < n; i++) {
                        target[index + i] = Lanes.get(window, at + 4L * i);
                    }
                }
            }
        });
    }

    void fill(Tensor target, float value) {
        Rows rows = Rows.of(target);
        int n = target.columns();
        int block = Math.min(n, ELEMENTS_PER_PIECE);
        int blocks = block == 0 ? 0 : (n + block - 1) / block;
        int together = rows.count * blocks > 0 ? grain(block) : 1;
        workers.forRanges(rows.count * blocks, together, (first, end, workspace) -> {
            for (int piece = first; piece < end; piece++) {
                int column = piece % blocks * block;
                long place = rows.byteOffset(piece / blocks, column);
                Object window = rows.memory.window(place);
                long at = NativeMemory.inWindow(place);
                int count = Math.min(block, n - column);
                if (rows.isBf16()) {
                    Conversion.fillBf16(window, at, count, value);
                } else {
                    Conversion.fill(window, at, count, value);
                }
            }
        });
    }

    void copy(Tensor source, Tensor target) {
        Rows from = Rows.of(source);
        Rows to = Rows.of(target);
        int n = source.columns();
        int block = Math.min(n, ELEMENTS_PER_PIECE);
        int blocks = block == 0 ? 0 : (n + block - 1) / block;
        workers.forRanges(from.count * blocks, grain(block), (first, end, workspace) -> {
            for (int piece = first; piece < end; piece++) {
                int column = piece % blocks * block;
                copyRow(from, piece / blocks, to, piece / blocks, column, Math.min(block, n - column));
            }
        });
    }

    /** Copies columns of a row, converting the type. */
    static void copyRow(Rows source, long sourceRow, Rows target, long targetRow, long column, int count) {
        long from = source.byteOffset(sourceRow, column);
        long to = target.byteOffset(targetRow, column);
        Object read = source.memory.window(from);
        Object write = target.memory.window(to);
        long readAt = NativeMemory.inWindow(from);
        long writeAt = NativeMemory.inWindow(to);
        if (source.isBf16() && target.isBf16()) {
            Conversion.copyBf16(read, readAt, write, writeAt, count);
        } else if (source.isBf16()) {
            Conversion.widen(read, readAt, write, writeAt, count);
        } else if (target.isBf16()) {
            Conversion.narrow(read, readAt, write, writeAt, count);
        } else {
            Lanes.copy(read, readAt, write, writeAt, count);
        }
    }

    void gather(Tensor table, int[] indices, Tensor out) {
        Rows source = Rows.of(table);
        Rows target = Rows.of(out);
        int n = table.columns();
        workers.forRanges(indices.length, grain(n), (first, end, workspace) -> {
            for (int i = first; i < end; i++) {
                copyRow(source, indices[i], target, i, 0, n);
            }
        });
    }

    /** Rows of one index are added up in their order, in fp32, and rounded once. */
    void scatterAdd(Tensor rows, int[] indices, Tensor table) {
        Rows source = Rows.of(rows);
        Rows target = Rows.of(table);
        int n = table.columns();
        long[] order = new long[indices.length];
        for (int i = 0; i < order.length; i++) {
            order[i] = ((long) indices[i] << 32) | i;
        }
        Arrays.sort(order);
        int[] groups = IntStream.rangeClosed(0, order.length)
                .filter(i -> i == 0 || i == order.length || index(order[i]) != index(order[i - 1]))
                .toArray();
        workers.forRanges(groups.length - 1, ROWS_PER_PIECE, (from, to, workspace) -> {
            for (int group = from; group < to; group++) {
                Span sum = workspace.update(0, target, index(order[groups[group]]), 0, n);
                for (int i = groups[group]; i < groups[group + 1]; i++) {
                    Pointwise.addTo(workspace.input(1, source, (int) order[i], 0, n), sum, n);
                }
                sum.finish();
            }
        });
    }

    private static int index(long indexAndPlace) {
        return (int) (indexAndPlace >>> 32);
    }

    void addColumnSums(Tensor x, Tensor sums) {
        Rows source = Rows.of(x);
        Rows target = Rows.flat(sums);
        int rows = source.count;
        workers.forRanges(x.columns(), COLUMNS_PER_PIECE, (from, to, workspace) -> {
            int count = to - from;
            Span total = workspace.update(0, target, 0, from, count);
            for (int first = 0; first < rows; first += ROWS_PER_SUM) {
                Span sum = workspace.floats(1, count);
                Conversion.fill(sum.memory, sum.offset, count, 0f);
                ColumnSums.add(source, first, Math.min(rows, first + ROWS_PER_SUM), from, sum, count);
                Pointwise.addTo(sum, total, count);
            }
            total.finish();
        });
    }
}
