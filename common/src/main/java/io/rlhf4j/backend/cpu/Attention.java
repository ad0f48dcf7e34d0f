package io.rlhf4j.backend.cpu;

import io.rlhf4j.tensor.AttentionSpec;
import io.rlhf4j.tensor.CachedTokens;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** Attention forward: a piece of work is one key head of one sequence. */
final class Attention {
    private static final int KEYS = AttentionTiles.KEYS;
    /** From so many queries of a sequence on, copying its keys and values once costs less than passing over them often. */
    private static final int WORTH_PACKING = 8;
    /** Pieces of a decoding step that a thread is given: one that is slower then takes fewer. */
    private static final int PIECES_PER_THREAD = 4;

    private final WorkerPool workers;
    private final MatrixProducts products;

    Attention(WorkerPool workers, MatrixProducts products) {
        this.workers = workers;
        this.products = products;
    }

    void forward(AttentionSpec spec, Tensor q, Tensor k, Tensor v, int[] starts, Tensor out, Tensor logSumExp) {
        AttentionTiles tiles = new AttentionTiles(typeOf(q, k, v));
        Rows queries = Rows.of(q);
        Rows keys = Rows.of(k);
        Rows values = Rows.of(v);
        Rows result = Rows.of(out);
        Rows notes = logSumExp == null ? null : Rows.of(logSumExp);
        int sequences = starts.length - 1;
        workers.run(sequences * spec.kvHeads(), (piece, workspace) -> {
            int sequence = piece / spec.kvHeads();
            int kvHead = piece % spec.kvHeads();
            int first = starts[sequence];
            int length = starts[sequence + 1] - first;
            AttentionForward head = new AttentionForward(tiles, spec, workspace, length);
            head.packKeys(keys, values, first, length, kvHead, 0);
            head.run(queries, first, length, 0, kvHead, result, notes);
        });
    }

    /** A decoding step has one query a sequence; a prompt has many and is worth packing. */
    void cached(AttentionSpec spec, Tensor q, Tensor keys, Tensor values, CachedTokens tokens, Tensor out) {
        int[][] blocks = tokens.blocks();
        int blockSize = tokens.blockSize();
        int[] lengths = tokens.lengths();
        int[] starts = tokens.starts();
        AttentionTiles tiles = new AttentionTiles(typeOf(q, keys, values));
        Rows queries = Rows.of(q);
        Rows keyRows = Rows.of(keys);
        Rows valueRows = Rows.of(values);
        Rows result = Rows.of(out);
        List<Piece> pieces = pieces(spec, starts);
        workers.run(pieces.size(), (number, workspace) -> {
            Piece piece = pieces.get(number);
            int sequence = piece.sequence;
            int first = starts[sequence];
            int count = starts[sequence + 1] - first;
            int length = lengths[sequence];
            if (count < WORTH_PACKING) {
                Decoding decoding = new Decoding(spec, keyRows, valueRows, blocks[sequence], blockSize);
                for (int i = 0; i < count; i++) {
                    int position = length - count + i;
                    decoding.run(workspace, queries, first + i, position, piece.fromHead, piece.toHead, result);
                }
                return;
            }
            AttentionForward head = new AttentionForward(tiles, spec, workspace, length);
            for (int at = 0; at < length; at += blockSize) {
                long row = (long) blocks[sequence][at / blockSize] * blockSize;
                head.packKeys(keyRows, valueRows, row, Math.min(blockSize, length - at), piece.fromHead, at);
            }
            head.run(queries, first, count, length - count, piece.fromHead, result, null);
        });
    }

    /** Some key heads of a sequence. */
    private record Piece(int sequence, int fromHead, int toHead) {}

    /** A prompt's key heads one by one; those of a decoding step together, but for as many pieces as keep all threads busy. */
    private List<Piece> pieces(AttentionSpec spec, int[] starts) {
        int sequences = starts.length - 1;
        boolean few = sequences < PIECES_PER_THREAD * workers.threads();
        int slices = few ? Math.min(spec.kvHeads(), workers.threads()) : 1;
        List<Piece> pieces = new ArrayList<>();
        for (int sequence = 0; sequence < sequences; sequence++) {
            int parts = starts[sequence + 1] - starts[sequence] < WORTH_PACKING ? slices : spec.kvHeads();
            for (int part = 0; part < parts; part++) {
                pieces.add(new Piece(sequence, part * spec.kvHeads() / parts, (part + 1) * spec.kvHeads() / parts));
            }
        }
        return pieces;
    }

    /** The type of the products: bf16 where everything is and the processor multiplies it. */
    private DType typeOf(Tensor q, Tensor k, Tensor v) {
        return products.productType(products.productType(q.type(), k.type()), v.type());
    }

    /** Rows of scores that one tile's products write are this far apart. */
    static long scoreBytes(int query) {
        return 4L * query * KEYS;
    }
}
