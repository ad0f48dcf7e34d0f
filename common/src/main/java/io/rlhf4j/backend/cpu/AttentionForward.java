package io.rlhf4j.backend.cpu;

import io.rlhf4j.tensor.AttentionSpec;
import io.rlhf4j.tensor.DType;
import java.util.Arrays;

/**
 * The queries that share one key head of one sequence: packed keys and values, then tile after tile of queries, each with
 * a running maximum and sum over its blocks of keys (Milakov and Gimelshein 2018).
 */
final class AttentionForward {
    private static final int KEY_BUFFER = 0;
    private static final int VALUE_BUFFER = 1;
    private static final int QUERY_BUFFER = 2;
    private static final int SCORE_BUFFER = 3;
    private static final int WEIGHT_BUFFER = 4;
    private static final int SUM_BUFFER = 5;
    private static final int ROW_BUFFER = 6;

    private final AttentionTiles tiles;
    private final AttentionSpec spec;
    private final Workspace workspace;
    private final int width;
    private final int length;
    private final NativeMemory keys;
    private final NativeMemory values;
    private final float[] largest = new float[AttentionTiles.QUERIES];
    private final float[] sums = new float[AttentionTiles.QUERIES];

    /**
     * @param length keys of the sequence
     */
    AttentionForward(AttentionTiles tiles, AttentionSpec spec, Workspace workspace, int length) {
        this.tiles = tiles;
        this.spec = spec;
        this.workspace = workspace;
        this.width = spec.headDim();
        this.length = length;
        int padded = AttentionTiles.paddedKeys(length);
        this.keys = workspace.buffer(KEY_BUFFER, tiles.bytes(padded, width));
        this.values = workspace.buffer(VALUE_BUFFER, tiles.bytes(padded, width));
        tiles.clear(keys, length, padded, width);
        tiles.clear(values, length, padded, width);
    }

    /** Takes {@code count} keys and values from row {@code row} on to position {@code at}. */
    void packKeys(Rows keyRows, Rows valueRows, long row, int count, int kvHead, int at) {
        long column = (long) kvHead * width;
        tiles.pack(keyRows, row, count, column, width, keys, at);
        tiles.pack(valueRows, row, count, column, width, values, at);
    }

    /** Attention of the rows [first, first + count) of q, whose first is at {@code position} of the sequence. */
    void run(Rows q, int first, int count, int position, int kvHead, Rows out, Rows notes) {
        int group = spec.heads() / spec.kvHeads();
        for (int head = kvHead * group; head < (kvHead + 1) * group; head++) {
            for (int from = 0; from < count; from += AttentionTiles.QUERIES) {
                tile(
                        q,
                        first + from,
                        Math.min(AttentionTiles.QUERIES, count - from),
                        position + from,
                        head,
                        out,
                        notes);
            }
        }
    }

    private void tile(Rows q, int row, int count, int position, int head, Rows out, Rows notes) {
        int padded = AttentionTiles.paddedQueries(count);
        NativeMemory queries = workspace.buffer(QUERY_BUFFER, tiles.bytes(AttentionTiles.QUERIES, width));
        tiles.pack(q, row, count, (long) head * width, width, queries, 0);
        tiles.clear(queries, count, padded, width);
        NativeMemory scores = workspace.buffer(SCORE_BUFFER, Attention.scoreBytes(AttentionTiles.QUERIES));
        boolean narrow = tiles.type() == DType.BF16;
        NativeMemory weights =
                narrow ? workspace.buffer(WEIGHT_BUFFER, Attention.scoreBytes(AttentionTiles.QUERIES) / 2) : scores;
        Span sum = workspace.floats(SUM_BUFFER, (long) AttentionTiles.QUERIES * width);
        NativeMemory sumMemory = workspace.buffer(SUM_BUFFER, 4L * AttentionTiles.QUERIES * width);
        Arrays.fill(largest, Float.NEGATIVE_INFINITY);
        Arrays.fill(sums, 0f);
        int last = position + count;
        int begin = AttentionTiles.firstKey(spec, position) / 64 * 64;
        for (int block = begin; block < last; block += AttentionTiles.KEYS) {
            int columns = Math.min(AttentionTiles.KEYS, AttentionTiles.paddedKeys(Math.min(last, length) - block));
            long place = tiles.bytes(block, width);
            workspace
                    .product(tiles.scores(padded, columns, width))
                    .run(queries.address(), keys.address() + place, scores.address());
            for (int i = 0; i < count; i++) {
                softmaxRow(i, position + i, block, columns, head, scores, weights, sum, block == begin);
            }
            workspace
                    .product(tiles.weighted(padded, columns, width, block > begin))
                    .run(weights.address(), values.address() + place, sumMemory.address());
        }
        for (int i = 0; i < count; i++) {
            Pointwise.scale(sum.memory, sum.offset + 4L * i * width, 1f / sums[i], width);
            Span target = workspace.output(ROW_BUFFER, out, row + i, (long) head * width, width);
            Lanes.copy(sum.memory, sum.offset + 4L * i * width, target.memory, target.offset, width);
            target.finish();
            if (notes != null) {
                long place = notes.byteOffset(head, row + i);
                Lanes.set(
                        notes.memory.window(place),
                        NativeMemory.inWindow(place),
                        largest[i] + (float) StrictMath.log(sums[i]));
            }
        }
    }

    /** Scores of query {@code i} against a block of keys to exponentials; earlier sums are scaled to the new maximum. */
    private void softmaxRow(
            int i,
            int position,
            int block,
            int columns,
            int head,
            NativeMemory scores,
            NativeMemory weights,
            Span sum,
            boolean first) {
        int from = Math.max(0, AttentionTiles.firstKey(spec, position) - block);
        int to = Math.min(columns, position + 1 - block);
        long at = Attention.scoreBytes(i);
        Object memory = scores.window(0);
        boolean narrow = tiles.type() == DType.BF16;
        if (to <= from) {
            Conversion.fill(weights.window(0), narrow ? at / 2 : at, narrow ? columns / 2 : columns, 0f);
            return;
        }
        float slope = AttentionTiles.slope(spec, head);
        float top = ScoreKernels.scores(spec, memory, at, columns, from, to, slope, block - position);
        float shift = top > largest[i] ? top : largest[i];
        if (!first && shift > largest[i]) {
            float factor = largest[i] == Float.NEGATIVE_INFINITY ? 0f : (float) StrictMath.exp(largest[i] - shift);
            Pointwise.scale(sum.memory, sum.offset + 4L * i * width, factor, width);
            sums[i] *= factor;
        }
        largest[i] = shift;
        sums[i] += narrow
                ? ScoreKernels.exponentialsBf16(memory, at, columns, shift, weights.window(0), at / 2)
                : ScoreKernels.exponentials(memory, at, columns, shift, memory, at);
    }
}
