package io.rlhf4j.backend.cpu;

import static io.rlhf4j.backend.cpu.Lanes.WIDTH;

import io.rlhf4j.tensor.AttentionSpec;

/**
 * Attention of single queries over cached keys and values, read in their place: the speed is that of memory, which is read
 * in its order, each row for all heads of a piece.
 */
final class Decoding {
    private static final int QUERY_BUFFER = 0;
    private static final int SCORE_BUFFER = 1;
    private static final int SUM_BUFFER = 2;
    private static final int ROW_BUFFER = 3;

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
        DecodingKernels.Heads shape = new DecodingKernels.Heads(toHead - fromHead, group, width);
        long column = (long) fromHead * group * width;
        Span queries = workspace.input(QUERY_BUFFER, q, row, column, heads * width);
        Span scores = workspace.floats(SCORE_BUFFER, (long) heads * padded);
        for (int at = first / blockSize * blockSize; at < length; at += blockSize) {
            DecodingKernels.dots(
                    queries.memory,
                    queries.offset,
                    keys,
                    place(keys, at, fromHead),
                    Math.min(blockSize, length - at),
                    shape,
                    scores.memory,
                    scores.offset + 4L * at,
                    4L * padded);
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
            count = Math.min(blockSize - at % blockSize, length - at);
            DecodingKernels.addWeighted(
                    scores.memory,
                    scores.offset + 4L * at,
                    4L * padded,
                    values,
                    place(values, at, fromHead),
                    count,
                    shape,
                    sums.memory,
                    sums.offset);
        }
        for (int head = 0; head < heads; head++) {
            Pointwise.scale(sums.memory, sums.offset + 4L * head * width, 1f / totals[head], width);
        }
        Span target = workspace.output(ROW_BUFFER, out, row, column, heads * width);
        Conversion.copy(sums.memory, sums.offset, target.memory, target.offset, heads * width);
        target.finish();
    }

    /** Where a key head of the sequence's position {@code position} lies. */
    private long place(Rows cache, int position, int kvHead) {
        long row = (long) blocks[position / blockSize] * blockSize + position % blockSize;
        return cache.byteOffset(row, (long) kvHead * width);
    }
}
