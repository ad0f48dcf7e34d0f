package io.rlhf4j.backend.cpu;

import io.rlhf4j.tensor.AttentionSpec;
import io.rlhf4j.tensor.DType;

/**
 * The pieces into which attention is cut: blocks of queries against blocks of keys (Dao et al. 2022). The keys and values
 * of a head are packed one after the other first, so that oneDNN sees few different shapes: counts are rounded up, and
 * rows beyond the end are zeros.
 */
final class AttentionTiles {
    /** Queries of a tile at most. */
    static final int QUERIES = 64;

    /** Keys of a tile at most: 64 x 256 scores in fp32 fill 64 KiB. */
    static final int KEYS = 256;

    private static final int QUERY_STEP = 16;
    private static final int KEY_STEP = 64;

    private final DType type;

    /** Tiles whose products take factors of {@code type}. */
    AttentionTiles(DType type) {
        this.type = type;
    }

    DType type() {
        return type;
    }

    /** Queries rounded up to a count that products are made for. */
    static int paddedQueries(int count) {
        return (count + QUERY_STEP - 1) / QUERY_STEP * QUERY_STEP;
    }

    /** Keys rounded up likewise. */
    static int paddedKeys(int count) {
        return (count + KEY_STEP - 1) / KEY_STEP * KEY_STEP;
    }

    /** Slope of ALiBi for a head, or 0. */
    static float slope(AttentionSpec spec, int head) {
        return spec.alibiSlopes() == null ? 0f : spec.alibiSlopes()[head];
    }

    /** The first key that a query at {@code position} sees. */
    static int firstKey(AttentionSpec spec, int position) {
        return spec.window() > 0 ? Math.max(0, position - spec.window() + 1) : 0;
    }

    long bytes(int rows, int width) {
        return (long) rows * width * type.bytes();
    }

    /** Packs {@code width} columns of rows [first, first + count) at row {@code at} of a buffer of the tiles' type. */
    void pack(Rows source, long first, int count, long column, int width, NativeMemory target, int at) {
        for (int row = 0; row < count; row++) {
            long from = source.byteOffset(first + row, column);
            long to = bytes(at + row, width);
            Object read = source.memory.window(from);
            Object write = target.window(to);
            if (type == DType.BF16) {
                Conversion.copyBf16(read, NativeMemory.inWindow(from), write, NativeMemory.inWindow(to), width);
            } else if (source.isBf16()) {
                Conversion.widen(read, NativeMemory.inWindow(from), write, NativeMemory.inWindow(to), width);
            } else {
                Lanes.copy(read, NativeMemory.inWindow(from), write, NativeMemory.inWindow(to), width);
            }
        }
    }

    /** Sets rows [from, to) of a packed buffer to zero. */
    void clear(NativeMemory target, int from, int to, int width) {
        for (int row = from; row < to; row++) {
            // Zeros of either type are zero bytes.
            int words = (int) (bytes(1, width) / 4);
            long at = bytes(row, width);
            Conversion.fill(target.window(at), NativeMemory.inWindow(at), words, 0f);
            if (type == DType.BF16 && width % 2 != 0) {
                Lanes.setBf16(target.window(at), NativeMemory.inWindow(at) + 2L * (width - 1), 0f);
            }
        }
    }

    /** {@code scores = queries keysᵀ}, rows {@link #KEYS} apart. */
    ProductShape scores(int queries, int keys, int width) {
        return ProductShape.of(queries, keys, width, type, DType.FP32, false, true, width, width, KEYS, false);
    }

    /** {@code out (+)= weights values}, the weights in rows {@link #KEYS} apart. */
    ProductShape weighted(int queries, int keys, int width, boolean add) {
        return ProductShape.of(queries, width, keys, type, DType.FP32, false, false, KEYS, width, width, add);
    }

    /** {@code out += weightsᵀ rows}: gradients of keys and values. */
    ProductShape transposed(int queries, int keys, int width) {
        return ProductShape.of(keys, width, queries, type, DType.FP32, true, false, KEYS, width, width, true);
    }
}
