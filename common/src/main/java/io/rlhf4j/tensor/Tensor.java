package io.rlhf4j.tensor;

import java.util.Arrays;

/**
 * A view of a {@link Storage}: element type, shape and place. It owns nothing; the {@link Scope} that allocated the
 * storage does.
 *
 * <p>Elements lie row by row. Only the distance between rows may exceed the row's length ({@link #rowStride()}), so that
 * a range of columns of a matrix is a view too ({@link #columns}).
 */
public final class Tensor {
    private final Backend backend;
    private final Storage storage;
    private final DType type;
    private final long offset;
    private final long rowStride;
    private final int[] shape;

    private Tensor(Backend backend, Storage storage, DType type, long offset, long rowStride, int... shape) {
        this.backend = backend;
        this.storage = storage;
        this.type = type;
        this.offset = offset;
        this.rowStride = rowStride;
        this.shape = shape;
    }

    /** The contiguous tensor of {@code shape} that begins {@code offset} elements into {@code storage}. */
    public static Tensor of(Backend backend, Storage storage, DType type, long offset, int... shape) {
        if (shape.length == 0) {
            throw new IllegalArgumentException("a tensor has at least one dimension");
        }
        long end = offset + elements(shape);
        if (offset < 0 || end > storage.elements(type)) {
            throw new IllegalArgumentException("shape %s at element %d needs %d bytes, the storage has %d"
                    .formatted(Arrays.toString(shape), offset, end * type.bytes(), storage.bytes()));
        }
        return new Tensor(backend, storage, type, offset, shape[shape.length - 1], shape.clone());
    }

    private static long elements(int... shape) {
        long elements = 1;
        for (int length : shape) {
            if (length < 0) {
                throw new IllegalArgumentException("negative dimension in " + Arrays.toString(shape));
            }
            elements = Math.multiplyExact(elements, (long) length);
        }
        return elements;
    }

    public Backend backend() {
        return backend;
    }

    /** The memory under this view; only its own backend makes use of it. */
    public Storage storage() {
        return storage;
    }

    public DType type() {
        return type;
    }

    /** Where the first element lies in {@link #storage()}, in elements. */
    public long offset() {
        return offset;
    }

    /** Elements from the beginning of one row to the beginning of the next. */
    public long rowStride() {
        return rowStride;
    }

    /** A copy of the lengths of all dimensions. */
    public int[] shape() {
        return shape.clone();
    }

    /** The number of dimensions. */
    public int dimensions() {
        return shape.length;
    }

    /** The length of dimension {@code axis}; -1 is the last. */
    public int dimension(int axis) {
        return shape[axis < 0 ? shape.length + axis : axis];
    }

    /** The number of rows: the product of all dimensions but the last. */
    public int rows() {
        return Math.toIntExact(elements(Arrays.copyOf(shape, shape.length - 1)));
    }

    /** The length of a row: the last dimension. */
    public int columns() {
        return shape[shape.length - 1];
    }

    /** The number of elements. */
    public long elements() {
        return elements(shape);
    }

    /** Whether the rows follow each other without a gap. */
    public boolean isContiguous() {
        return rowStride == columns() || rows() <= 1;
    }

    /** The same elements under another shape of as many elements. The tensor has to be contiguous. */
    public Tensor reshape(int... newShape) {
        requireContiguous();
        if (elements(newShape) != elements()) {
            throw new IllegalArgumentException(
                    "cannot view %s as %s".formatted(Arrays.toString(shape), Arrays.toString(newShape)));
        }
        return new Tensor(backend, storage, type, offset, newShape[newShape.length - 1], newShape.clone());
    }

    /** All elements in one dimension. The tensor has to be contiguous. */
    public Tensor flatten() {
        return reshape(Math.toIntExact(elements()));
    }

    /** Entries {@code from} to {@code to} (exclusive) of the first dimension. */
    public Tensor slice(int from, int to) {
        if (from < 0 || to < from || to > shape[0]) {
            throw new IndexOutOfBoundsException("[%d, %d) of %s".formatted(from, to, Arrays.toString(shape)));
        }
        int[] part = shape.clone();
        part[0] = to - from;
        long step = 1;
        if (shape.length > 1) {
            step = rowStride;
            for (int axis = 1; axis < shape.length - 1; axis++) {
                step *= shape[axis];
            }
        }
        long stride = shape.length == 1 ? to - from : rowStride;
        return new Tensor(backend, storage, type, offset + from * step, stride, part);
    }

    /** Columns {@code from} to {@code to} (exclusive) of a matrix: a view whose {@link #rowStride()} stays the matrix's. */
    public Tensor columns(int from, int to) {
        if (shape.length != 2 || from < 0 || to < from || to > shape[1]) {
            throw new IndexOutOfBoundsException("columns [%d, %d) of %s".formatted(from, to, Arrays.toString(shape)));
        }
        return new Tensor(backend, storage, type, offset + from, rowStride, shape[0], to - from);
    }

    /** This tensor, if it is contiguous. */
    public Tensor requireContiguous() {
        if (!isContiguous()) {
            throw new IllegalArgumentException(this + " has gaps between its rows");
        }
        return this;
    }

    /** All elements as fp32, in order. For tests, reports and small results: it copies to the host. */
    public float[] toFloats() {
        float[] values = new float[Math.toIntExact(elements())];
        backend.read(this, values, 0);
        return values;
    }

    @Override
    public String toString() {
        return "Tensor" + Arrays.toString(shape) + " " + type;
    }
}
