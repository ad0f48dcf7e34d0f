package io.rlhf4j.format;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A tensor's place in a file.
 *
 * @param info name, type and shape
 * @param region bytes that hold it, checked to be long enough
 * @param offset byte of its first element within {@code region}
 * @param strides distance in elements between neighbours along each dimension; null where elements follow each other
 */
record StoredTensor(TensorInfo info, ByteRegion region, long offset, long[] strides) {
    private static final int MOST_BYTES = RandomAccessBytes.MAXIMUM_READ / 8;

    /** Takes the elements from {@code first} on, {@code count} of them, at the beginning of {@code bytes}. */
    @FunctionalInterface
    interface PieceConsumer {
        void accept(long first, ByteBuffer bytes, int count) throws IOException;
    }

    /** Gives all elements in order, some at a time. */
    void forEachPiece(PieceConsumer consumer) throws IOException {
        int size = info.type().bytes();
        if (strides != null) {
            gather(consumer);
            return;
        }
        long elements = info.elements();
        for (long first = 0; first < elements; first += MOST_BYTES / size) {
            int count = (int) Math.min(elements - first, MOST_BYTES / size);
            consumer.accept(first, region.read(offset + first * size, count * size), count);
        }
    }

    /** Walks a tensor whose elements do not follow each other (a transposed or sliced one), a row of it at a time. */
    private void gather(PieceConsumer consumer) throws IOException {
        int size = info.type().bytes();
        int dimensions = strides.length;
        int columns = info.shape().get(dimensions - 1);
        int columnStep = Math.toIntExact(strides[dimensions - 1] * size);
        ByteBuffer all = ByteBuffer.wrap(region.readAll(offset, span(info, strides)));
        ByteBuffer row = ByteBuffer.allocate(Math.multiplyExact(columns, size)).order(ByteOrder.LITTLE_ENDIAN);
        int[] index = new int[dimensions];
        long elements = info.elements();
        for (long first = 0; first < elements; first += columns) {
            long begin = 0;
            for (int axis = 0; axis < dimensions - 1; axis++) {
                begin += index[axis] * strides[axis] * size;
            }
            for (int column = 0; column < columns; column++) {
                row.put(column * size, all, Math.toIntExact(begin) + column * columnStep, size);
            }
            consumer.accept(first, row, columns);
            for (int axis = dimensions - 2;
                    axis >= 0 && ++index[axis] == info.shape().get(axis);
                    axis--) {
                index[axis] = 0;
            }
        }
    }

    /**
     * Bytes from the first element to the end of the last.
     *
     * @throws ArithmeticException where it exceeds a long
     */
    static long span(TensorInfo info, long[] strides) {
        long last = 0;
        for (int axis = 0; axis < strides.length; axis++) {
            if (info.shape().get(axis) == 0) {
                return 0;
            }
            last = Math.addExact(last, Math.multiplyExact(info.shape().get(axis) - 1L, strides[axis]));
        }
        return Math.multiplyExact(Math.addExact(last, 1), (long) info.type().bytes());
    }
}
