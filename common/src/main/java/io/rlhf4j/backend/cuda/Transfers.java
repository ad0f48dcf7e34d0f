package io.rlhf4j.backend.cuda;

import io.rlhf4j.tensor.DType;
import java.util.Arrays;
import java.util.stream.IntStream;

/** Numbers into, out of and between tensors; rows by index; sums of columns. */
final class Transfers {
    private static final String FILE = "transfers";
    /** Rows whose sum is taken by one thread. */
    static final int ROWS_OF_CHUNK = 32;
    /** Columns that a block of addPartials takes. */
    private static final int COLUMNS_OF_BLOCK = 32;

    private final Workbench bench;
    private final Stream stream;

    Transfers(Workbench bench) {
        this.bench = bench;
        this.stream = bench.stream();
    }

    void write(Matrix target, float[] source, int from) {
        if (target.isContiguous() && !target.isBf16()) {
            for (long done = 0; done < target.elements(); done += HostStaging.FLOATS) {
                int count = (int) Math.min(HostStaging.FLOATS, target.elements() - done);
                bench.staging().send(source, from + (int) done, count, target.address() + 4 * done);
            }
            return;
        }
        int together = rowsOfPiece(target);
        if (together == 0) {
            return;
        }
        try (DeviceMemory memory = bench.memories().allocate(4L * together * target.columns())) {
            for (int row = 0; row < target.rows(); row += together) {
                int end = Math.min(target.rows(), row + together);
                Matrix piece = Matrix.in(memory, DType.FP32, end - row, target.columns());
                int at = from + row * target.columns();
                for (int done = 0; done < piece.elements(); done += HostStaging.FLOATS) {
                    int count = (int) Math.min(HostStaging.FLOATS, piece.elements() - done);
                    bench.staging().send(source, at + done, count, piece.address() + 4L * done);
                }
                copy(piece, target.slice(row, end));
            }
        }
    }

    void read(Matrix source, float[] target, int from) {
        if (source.isContiguous() && !source.isBf16()) {
            receive(source, target, from);
            return;
        }
        int together = rowsOfPiece(source);
        if (together == 0) {
            return;
        }
        try (DeviceMemory memory = bench.memories().allocate(4L * together * source.columns())) {
            for (int row = 0; row < source.rows(); row += together) {
                int end = Math.min(source.rows(), row + together);
                Matrix piece = Matrix.in(memory, DType.FP32, end - row, source.columns());
                copy(source.slice(row, end), piece);
                receive(piece, target, from + row * source.columns());
            }
        }
    }

    private void receive(Matrix source, float[] target, int from) {
        for (long done = 0; done < source.elements(); done += HostStaging.FLOATS) {
            int count = (int) Math.min(HostStaging.FLOATS, source.elements() - done);
            bench.staging().receive(source.address() + 4 * done, target, from + (int) done, count);
        }
    }

    /** About as many rows as the staging holds; 0 without elements. */
    private static int rowsOfPiece(Matrix matrix) {
        return matrix.elements() == 0 ? 0 : Math.min(matrix.rows(), Math.max(1, HostStaging.FLOATS / matrix.columns()));
    }

    void fill(Matrix target, float value) {
        stream.pass(target.address())
                .pass(target.stride())
                .pass((long) target.rows())
                .pass((long) target.columns())
                .pass(value)
                .pass(Matrix.flags(target))
                .launch(
                        bench.kernels().get(FILE, "fillRows"),
                        Kernel.blocksOfParts(target.rows(), target.columns()),
                        Kernel.THREADS);
    }

    void copy(Matrix source, Matrix target) {
        stream.pass(source.address())
                .pass(source.stride())
                .pass(target.address())
                .pass(target.stride())
                .pass((long) source.rows())
                .pass((long) source.columns())
                .pass(Matrix.flags(source, target))
                .launch(
                        bench.kernels().get(FILE, "copyRows"),
                        Kernel.blocksOfParts(source.rows(), source.columns()),
                        Kernel.THREADS);
    }

    /** out[i] = table[indices[i]] */
    void gather(Matrix table, int[] indices, Matrix out) {
        move("gatherRows", table, indices, out, out.rows());
    }

    /** table[indices[i]] = rows[i] */
    void put(Matrix rows, int[] indices, Matrix table) {
        move("putRows", rows, indices, table, rows.rows());
    }

    private void move(String kernel, Matrix source, int[] indices, Matrix target, int rows) {
        stream.pass(source.address())
                .pass(source.stride())
                .pass(bench.uploads().send(indices))
                .pass(target.address())
                .pass(target.stride())
                .pass((long) rows)
                .pass((long) source.columns())
                .pass(Matrix.flags(source, target))
                .launch(
                        bench.kernels().get(FILE, kernel),
                        Kernel.blocksOfParts(rows, source.columns()),
                        Kernel.THREADS);
    }

    /** Rows of one index are added up in their order, in fp32, and rounded once. */
    void scatterAdd(Matrix rows, int[] indices, Matrix table) {
        long[] sorted = new long[indices.length];
        for (int i = 0; i < sorted.length; i++) {
            sorted[i] = ((long) indices[i] << 32) | i;
        }
        Arrays.sort(sorted);
        int[] order = Arrays.stream(sorted).mapToInt(entry -> (int) entry).toArray();
        int[] begins = IntStream.rangeClosed(0, sorted.length)
                .filter(i -> i == 0 || i == sorted.length || index(sorted[i]) != index(sorted[i - 1]))
                .toArray();
        int groups = begins.length - 1;
        int[] targets = IntStream.range(0, groups)
                .map(group -> index(sorted[begins[group]]))
                .toArray();
        stream.pass(rows.address())
                .pass(rows.stride())
                .pass(bench.uploads().send(order))
                .pass(bench.uploads().send(begins))
                .pass(bench.uploads().send(targets))
                .pass(table.address())
                .pass(table.stride())
                .pass((long) groups)
                .pass((long) table.columns())
                .pass(Matrix.flags(rows, table))
                .launch(
                        bench.kernels().get(FILE, "scatterAddRows"),
                        Kernel.blocksOfParts(groups, table.columns()),
                        Kernel.THREADS);
    }

    private static int index(long indexAndPlace) {
        return (int) (indexAndPlace >>> 32);
    }

    void addColumnSums(Matrix x, Matrix sums) {
        int chunks = (x.rows() + ROWS_OF_CHUNK - 1) / ROWS_OF_CHUNK;
        if (chunks == 0) {
            return;
        }
        try (DeviceMemory partials = bench.memories().allocate(4L * chunks * x.columns())) {
            Matrix part = Matrix.in(partials, DType.FP32, chunks, x.columns());
            stream.pass(x.address())
                    .pass(x.stride())
                    .pass((long) x.rows())
                    .pass((long) x.columns())
                    .pass(ROWS_OF_CHUNK)
                    .pass(part.address())
                    .pass(Matrix.flags(x, part))
                    .launch(
                            bench.kernels().get(FILE, "columnPartials"),
                            Kernel.blocksOfParts(chunks, x.columns()),
                            Kernel.THREADS);
            addPartials(part, sums);
        }
    }

    /** sums += the sum of all rows of {@code partials}, in a fixed order. */
    void addPartials(Matrix partials, Matrix sums) {
        stream.pass(partials.address())
                .pass(partials.rows())
                .pass((long) partials.columns())
                .pass(sums.address())
                .pass(Matrix.flags(sums))
                .launch(
                        bench.kernels().get(FILE, "addPartials"),
                        (partials.columns() + COLUMNS_OF_BLOCK - 1) / COLUMNS_OF_BLOCK,
                        Kernel.THREADS);
    }
}
