package io.rlhf4j.backend.cpu;

import io.rlhf4j.tensor.AttentionSpec;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Tensor;

/**
 * The gradient of attention: scores are computed again from the queries, keys and noted sums, tile by tile (Dao et al.
 * 2022, algorithm 4). A piece of work is one key head of one sequence, so that its sums have one order.
 */
final class AttentionBackward {
    private static final int KEY_BUFFER = 0;
    private static final int VALUE_BUFFER = 1;
    private static final int QUERY_BUFFER = 2;
    private static final int SCORE_BUFFER = 3;
    private static final int PROBABILITY_BUFFER = 4;
    private static final int CHANGE_BUFFER = 5;
    private static final int NARROW_CHANGE_BUFFER = 6;
    private static final int OUT_GRADIENT_BUFFER = 7;
    private static final int QUERY_GRADIENT_BUFFER = 8;
    private static final int KEY_GRADIENT_BUFFER = 9;
    private static final int VALUE_GRADIENT_BUFFER = 10;
    private static final int ROW_BUFFER = 11;

    private final WorkerPool workers;
    private final MatrixProducts products;

    AttentionBackward(WorkerPool workers, MatrixProducts products) {
        this.workers = workers;
        this.products = products;
    }

    void backward(
            AttentionSpec spec,
            Tensor q,
            Tensor k,
            Tensor v,
            int[] starts,
            Tensor out,
            Tensor logSumExp,
            Tensor dOut,
            Tensor dq,
            Tensor dk,
            Tensor dv) {
        DType type = products.productType(products.productType(q.type(), k.type()), v.type());
        AttentionTiles tiles = new AttentionTiles(products.productType(type, dOut.type()));
        Matrices matrices = new Matrices(
                Rows.of(q),
                Rows.of(k),
                Rows.of(v),
                Rows.of(out),
                Rows.of(logSumExp),
                Rows.of(dOut),
                Rows.of(dq),
                Rows.of(dk),
                Rows.of(dv));
        workers.run((starts.length - 1) * spec.kvHeads(), (piece, workspace) -> {
            int sequence = piece / spec.kvHeads();
            int first = starts[sequence];
            int length = starts[sequence + 1] - first;
            new Head(tiles, spec, matrices, workspace, first, length).run(piece % spec.kvHeads());
        });
    }

    private record Matrices(Rows q, Rows k, Rows v, Rows out, Rows notes, Rows dOut, Rows dq, Rows dk, Rows dv) {}

    /** The queries that share one key head of one sequence. */
    private static final class Head {
        private final AttentionTiles tiles;
        private final AttentionSpec spec;
        private final Matrices m;
        private final Workspace workspace;
        private final int first;
        private final int length;
        private final int width;
        private final boolean narrow;
        private final NativeMemory keys;
        private final NativeMemory values;
        private final NativeMemory queries;
        private final NativeMemory outGradients;
        private final NativeMemory scores;
        private final NativeMemory changes;
        private final NativeMemory queryGradients;
        private final NativeMemory keyGradients;
        private final NativeMemory valueGradients;
        private final NativeMemory probabilityFactors;
        private final NativeMemory changeFactors;

        Head(AttentionTiles tiles, AttentionSpec spec, Matrices m, Workspace workspace, int first, int length) {
            this.tiles = tiles;
            this.spec = spec;
            this.m = m;
            this.workspace = workspace;
            this.first = first;
            this.length = length;
            this.width = spec.headDim();
            this.narrow = tiles.type() == DType.BF16;
            int padded = AttentionTiles.paddedKeys(length);
            long tileBytes = Attention.scoreBytes(AttentionTiles.QUERIES);
            keys = workspace.buffer(KEY_BUFFER, tiles.bytes(padded, width));
            values = workspace.buffer(VALUE_BUFFER, tiles.bytes(padded, width));
            queries = workspace.buffer(QUERY_BUFFER, tiles.bytes(AttentionTiles.QUERIES, width));
            outGradients = workspace.buffer(OUT_GRADIENT_BUFFER, tiles.bytes(AttentionTiles.QUERIES, width));
            scores = workspace.buffer(SCORE_BUFFER, tileBytes);
            changes = workspace.buffer(CHANGE_BUFFER, tileBytes);
            queryGradients = workspace.buffer(QUERY_GRADIENT_BUFFER, 4L * AttentionTiles.QUERIES * width);
            keyGradients = workspace.buffer(KEY_GRADIENT_BUFFER, 4L * padded * width);
            valueGradients = workspace.buffer(VALUE_GRADIENT_BUFFER, 4L * padded * width);
            probabilityFactors = narrow ? workspace.buffer(PROBABILITY_BUFFER, tileBytes / 2) : scores;
            changeFactors = narrow ? workspace.buffer(NARROW_CHANGE_BUFFER, tileBytes / 2) : changes;
        }

        void run(int kvHead) {
            int padded = AttentionTiles.paddedKeys(length);
            long column = (long) kvHead * width;
            tiles.pack(m.k, first, length, column, width, keys, 0);
            tiles.pack(m.v, first, length, column, width, values, 0);
            tiles.clear(keys, length, padded, width);
            tiles.clear(values, length, padded, width);
            Conversion.fill(keyGradients.window(0), 0, padded * width, 0f);
            Conversion.fill(valueGradients.window(0), 0, padded * width, 0f);
            int group = spec.heads() / spec.kvHeads();
            for (int head = kvHead * group; head < (kvHead + 1) * group; head++) {
                for (int from = 0; from < length; from += AttentionTiles.QUERIES) {
                    tile(from, Math.min(AttentionTiles.QUERIES, length - from), head);
                }
            }
            unpack(keyGradients, 0, length, m.dk, first, column);
            unpack(valueGradients, 0, length, m.dv, first, column);
        }

        /** Queries [position, position + count) of one head against all keys that they see. */
        private void tile(int position, int count, int head) {
            int padded = AttentionTiles.paddedQueries(count);
            long column = (long) head * width;
            tiles.pack(m.q, first + position, count, column, width, queries, 0);
            tiles.clear(queries, count, padded, width);
            tiles.pack(m.dOut, first + position, count, column, width, outGradients, 0);
            tiles.clear(outGradients, count, padded, width);
            float[] inner = innerProducts(position, count, column);
            int last = position + count;
            int begin = AttentionTiles.firstKey(spec, position) / 64 * 64;
            for (int block = begin; block < last; block += AttentionTiles.KEYS) {
                int columns = Math.min(AttentionTiles.KEYS, AttentionTiles.paddedKeys(last - block));
                long place = tiles.bytes(block, width);
                long gradientPlace = 4L * block * width;
                Product scoring = workspace.product(tiles.scores(padded, columns, width));
                scoring.run(queries.address(), keys.address() + place, scores.address());
                scoring.run(outGradients.address(), values.address() + place, changes.address());
                for (int i = 0; i < padded; i++) {
                    row(i, count, position + i, block, columns, head, inner);
                }
                Product transposed = workspace.product(tiles.transposed(padded, columns, width));
                transposed.run(
                        probabilityFactors.address(), outGradients.address(), valueGradients.address() + gradientPlace);
                transposed.run(changeFactors.address(), queries.address(), keyGradients.address() + gradientPlace);
                workspace
                        .product(tiles.weighted(padded, columns, width, block > begin))
                        .run(changeFactors.address(), keys.address() + place, queryGradients.address());
            }
            unpack(queryGradients, 0, count, m.dq, first + position, column);
        }

        /** Output times gradient of each query: what its softmax takes off every gradient. */
        private float[] innerProducts(int position, int count, long column) {
            float[] inner = new float[count];
            for (int i = 0; i < count; i++) {
                Span out = workspace.input(ROW_BUFFER, m.out, first + position + i, column, width);
                Span gradient = workspace.input(ROW_BUFFER + 1, m.dOut, first + position + i, column, width);
                inner[i] = NormKernels.dot(out.memory, out.offset, gradient.memory, gradient.offset, width);
            }
            return inner;
        }

        private void row(int i, int count, int position, int block, int columns, int head, float[] inner) {
            long at = Attention.scoreBytes(i);
            int from = i < count ? Math.max(0, AttentionTiles.firstKey(spec, position) - block) : 0;
            int to = i < count ? Math.min(columns, position + 1 - block) : 0;
            if (to <= from) {
                Conversion.fill(scores.window(0), at, columns, 0f);
                Conversion.fill(changes.window(0), at, columns, 0f);
            } else {
                long note = m.notes.byteOffset(head, first + position);
                float logSumExp = Lanes.get(m.notes.memory.window(note), NativeMemory.inWindow(note));
                softmaxRow(i, at, position, block, columns, from, to, head, logSumExp, inner);
            }
            if (narrow) {
                Conversion.narrow(scores.window(0), at, probabilityFactors.window(0), at / 2, columns);
                Conversion.narrow(changes.window(0), at, changeFactors.window(0), at / 2, columns);
            }
        }

        private void softmaxRow(
                int i,
                long at,
                int position,
                int block,
                int columns,
                int from,
                int to,
                int head,
                float logSumExp,
                float[] inner) {
            Object p = scores.window(0);
            Object dp = changes.window(0);
            boolean capped = spec.softcap() > 0f;
            Span products = workspace.floats(ROW_BUFFER, columns);
            if (capped) {
                Lanes.copy(p, at, products.memory, products.offset, columns);
            }
            float slope = AttentionTiles.slope(spec, head);
            ScoreKernels.probabilities(spec, p, at, columns, from, to, slope, block - position, logSumExp);
            boolean wholeRow = block <= AttentionTiles.firstKey(spec, position) && position < block + columns;
            // Exact where the row lies in one block; the output that stands for it otherwise may be rounded to bf16.
            float middle = wholeRow ? NormKernels.dot(p, at, dp, at, columns) : inner[i];
            ScoreKernels.gradients(spec.scale(), p, at, dp, at, columns, middle);
            if (capped) {
                ScoreKernels.uncap(spec, products.memory, products.offset, dp, at, columns);
            }
        }

        private void unpack(NativeMemory packed, int from, int count, Rows target, long row, long column) {
            for (int i = 0; i < count; i++) {
                Span place = workspace.output(ROW_BUFFER, target, row + i, column, width);
                long at = 4L * (from + i) * width;
                Lanes.copy(packed.window(at), NativeMemory.inWindow(at), place.memory, place.offset, width);
                place.finish();
            }
        }
    }
}
