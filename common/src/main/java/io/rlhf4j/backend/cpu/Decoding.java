package io.rlhf4j.backend.cpu;

import static io.rlhf4j.backend.cpu.Lanes.WIDTH;

import io.rlhf4j.tensor.AttentionSpec;

/**
 * Attention of single queries over cached keys and values, read in their place: the speed is that of memory. The heads
 * that share a key head pass over its rows together, block by block.
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

    /** Attention of row {@code row} of q, at {@code position} of the sequence, for the heads that share a key head. */
    void run(Workspace workspace, Rows q, int row, int position, int kvHead, Rows out) {
        int length = position + 1;
        int padded = (length + WIDTH - 1) / WIDTH * WIDTH;
        int first = AttentionTiles.firstKey(spec, position);
        long column = (long) kvHead * group * width;
        Span queries = workspace.input(QUERY_BUFFER, q, row, column, group * width);
        Span scores = workspace.floats(SCORE_BUFFER, (long) group * padded);
        for (int at = first / blockSize * blockSize; at < length; at += blockSize) {
            int count = Math.min(blockSize, length - at);
            long place = keys.byteOffset((long) blocks[at / blockSize] * blockSize, (long) kvHead * width);
            for (int head = 0; head < group; head++) {
                DecodingKernels.dots(
                        queries.memory,
                        queries.offset + 4L * head * width,
                        keys,
                        place,
                        count,
                        width,
                        scores.memory,
                        scores.offset + 4L * ((long) head * padded + at));
            }
        }
        Span sums = workspace.floats(SUM_BUFFER, (long) group * width);
        Conversion.fill(sums.memory, sums.offset, group * width, 0f);
        int from = first / WIDTH * WIDTH;
        float[] totals = new float[group];
        for (int head = 0; head < group; head++) {
            long at = scores.offset + 4L * ((long) head * padded + from);
            float slope = AttentionTiles.slope(spec, kvHead * group + head);
            float largest = ScoreKernels.scores(
                    spec, scores.memory, at, padded - from, first - from, length - from, slope, from - position);
            totals[head] = ScoreKernels.exponentials(scores.memory, at, padded - from, largest, scores.memory, at);
        }
        for (int at = first / blockSize * blockSize; at < length; at += blockSize) {
            int begin = Math.max(at, first);
            int count = Math.min(blockSize, length - at) - (begin - at);
            long row0 = (long) blocks[at / blockSize] * blockSize + begin - at;
            long place = values.byteOffset(row0, (long) kvHead * width);
            for (int head = 0; head < group; head++) {
                DecodingKernels.addWeighted(
                        scores.memory,
                        scores.offset + 4L * ((long) head * padded + begin),
                        values,
                        place,
                        count,
                        width,
                        sums.memory,
                        sums.offset + 4L * head * width);
            }
        }
        for (int head = 0; head < group; head++) {
            Pointwise.scale(sums.memory, sums.offset + 4L * head * width, 1f / totals[head], width);
        }
        Span target = workspace.output(ROW_BUFFER, out, row, column, group * width);
        Conversion.copy(sums.memory, sums.offset, target.memory, target.offset, group * width);
        target.finish();
    }
}
