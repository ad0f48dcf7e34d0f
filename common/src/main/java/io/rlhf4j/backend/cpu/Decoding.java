package io.rlhf4j.backend.cpu;

import static io.rlhf4j.backend.cpu.Lanes.WIDTH;

import io.rlhf4j.tensor.AttentionSpec;

/**
 * Attention of single queries over cached keys and values, read in their place: the speed is that of memory. All heads of
 * a piece pass over a few rows together before the next rows, so that memory is read in its order.
 */
final class Decoding {
    private static final int QUERY_BUFFER = 0;
    private static final int SCORE_BUFFER = 1;
    private static final int SUM_BUFFER = 2;
    private static final int ROW_BUFFER = 3;

    /** Rows of a block that all heads pass over before the next ones. */
    private static final int TOGETHER = 4;

    private final AttentionSpec spec;
    private final Rows keys;
    private final Rows values;
    private final int[] blocks;
    private final int blockSize;
    private final int width;
    private final int group;

    /**
     * @param blocks of the sequence whose queries follow
     */
    Decoding(AttentionSpec spec, Rows keys, Rows values, int[] blocks, int blockSize) {
        this.spec = spec;
        this.keys = keys;
        this.values = values;
        this.blocks = blocks;
        this.blockSize = blockSize;
        this.width = spec.headDim();
        this.group = spec.heads() / spec.kvHeads();
    }

    /**
     * Attention of row {@code row} of q, at {@code position} of the sequence, for the heads that share one of the key heads
     * {@code fromHead} to {@code toHead} (exclusive).
     */
    void run(Workspace workspace, Rows q, int row, int position, int fromHead, int toHead, Rows out) {
        int length = position + 1;
        int padded = (length + WIDTH - 1) / WIDTH * WIDTH;
        int first = AttentionTiles.firstKey(spec, position);
        int heads = (toHead - fromHead) * group;
        long column = (long) fromHead * group * width;
        Span queries = workspace.input(QUERY_BUFFER, q, row, column, heads * width);
        Span scores = workspace.floats(SCORE_BUFFER, (long) heads * padded);
        for (int at = first / blockSize * blockSize, count; at < length; at += count) {
            count = together(at, length);
            for (int head = 0; head < heads; head++) {
                DecodingKernels.dots(
                        queries.memory,
                        queries.offset + 4L * head * width,
                        keys,
                        place(keys, at, fromHead + head / group),
                        count,
                        width,
                        scores.memory,
                        scores.offset + 4L * ((long) head * padded + at));
            }
        }
        Span sums = workspace.floats(SUM_BUFFER, (long) heads * width);
        Conversion.fill(sums.memory, sums.offset, heads * width, 0f);
        int from = first / WIDTH * WIDTH;
        float[] totals = new float[heads];
        for (int head = 0; head < heads; head++) {
            long at = scores.offset + 4L * ((long) head * padded + from);
            float slope = AttentionTiles.slope(spec, fromHead * group + head);
            float largest = ScoreKernels.scores(
                    spec, scores.memory, at, padded - from, first - from, length - from, slope, from - position);
            totals[head] = ScoreKernels.exponentials(scores.memory, at, padded - from, largest, scores.memory, at);
        }
        for (int at = first, count; at < length; at += count) {
            count = together(at, length);
            for (int head = 0; head < heads; head++) {
                DecodingKernels.addWeighted(
                        scores.memory,
                        scores.offset + 4L * ((long) head * padded + at),
                        values,
                        place(values, at, fromHead + head / group),
                        count,
                        width,
                        sums.memory,
                        sums.offset + 4L * head * width);
            }
        }
        for (int head = 0; head < heads; head++) {
            Pointwise.scale(sums.memory, sums.offset + 4L * head * width, 1f / totals[head], width);
        }
        Span target = workspace.output(ROW_BUFFER, out, row, column, heads * width);
        Conversion.copy(sums.memory, sums.offset, target.memory, target.offset, heads * width);
        target.finish();
    }

    /** How many of the rows from {@code position} on are passed over together. */
    private int together(int position, int length) {
        return Math.min(Math.min(TOGETHER, length - position), blockSize - position % blockSize);
    }

    /** Where a key head of the sequence's position {@code position} lies. */
    private long place(Rows cache, int position, int kvHead) {
        long row = (long) blocks[position / blockSize] * blockSize + position % blockSize;
        return cache.byteOffset(row, (long) kvHead * width);
    }
}
