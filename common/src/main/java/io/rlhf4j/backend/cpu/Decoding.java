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
            DecodingKernels.Block block = block(keys, at, Math.min(blockSize, length - at), fromHead);
            Lanes.set(scores.memory, scores.offset + 4L * at, DecodingKernels.fetch(block, shape));
            DecodingKernels.dots(
                    queries.memory, queries.offset, block, shape, scores.memory, scores.offset + 4L * at, 4L * padded);
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
        float fetched = 0f;
        for (int at = first, count; at < length; at += count) {
            count = Math.min(blockSize - at % blockSize, length - at);
            DecodingKernels.Block block = block(values, at, count, fromHead);
            fetched += DecodingKernels.fetch(block, shape);
            DecodingKernels.addWeighted(
                    scores.memory, scores.offset + 4L * at, 4L * padded, block, shape, sums.memory, sums.offset);
        }
        // The scores are done with.
        Lanes.set(scores.memory, scores.offset, fetched);
        for (int head = 0; head < heads; head++) {
            Pointwise.scale(sums.memory, sums.offset + 4L * head * width, 1f / totals[head], width);
        }
        Span target = workspace.output(ROW_BUFFER, out, row, column, heads * width);
        Lanes.copy(sums.memory, sums.offset, target.memory, target.offset, heads * width);
        target.finish();
    }

    /** The part of some heads, from key head {@code fromHead} on, of rows that lie in one block. */
    private DecodingKernels.Block block(Rows cache, int position, int count, int fromHead) {
        long row = (long) blocks[position / blockSize] * blockSize + position % blockSize;
        long place = cache.byteOffset(row, (long) fromHead * width);
        return new DecodingKernels.Block(
                cache.memory.window(place),
                NativeMemory.inWindow(place),
                cache.stride() * cache.type.bytes(),
                count,
                cache.isBf16());
    }
}
