package io.rlhf4j.backend.cuda;

import io.rlhf4j.tensor.AttentionSpec;
import io.rlhf4j.tensor.DType;
import java.util.List;

/**
 * Causal attention within packed sequences, forward and backward: on tensor cores for bf16 heads of 16 to 128 columns that
 * lie at multiples of 16 bytes, in fp32 arithmetic for all others. Gradients of keys and of queries are two passes, so that
 * nothing is added up across blocks.
 */
final class Attention {
    private static final String PLAIN = "attention_plain";
    private static final String TILES = "attention_tiles";
    private static final int THREADS = 128;
    private static final int PLAIN_ROWS = 16;
    private static final int PLAIN_KEYS = 32;
    private static final int TILE_ROWS = 64;
    private static final int WIDEST_TILE = 128;
    private static final int PAD = 8;

    private final Workbench bench;
    private final Stream stream;

    Attention(Workbench bench) {
        this.bench = bench;
        this.stream = bench.stream();
    }

    void forward(AttentionSpec spec, Matrix q, Matrix k, Matrix v, int[] starts, Matrix out, Matrix logSumExp) {
        boolean tiled = isTiled(spec, q, k, v, out);
        int[] tiles = tiles(starts, tiled ? TILE_ROWS : PLAIN_ROWS);
        passRows(q, k, v, out);
        stream.pass(Matrix.address(logSumExp));
        passScoring(spec, q, tiles, tiled);
        if (tiled) {
            // Keys and values, of each two stages.
            int shared = rowBytes(spec) * 4 * TILE_ROWS;
            stream.launch(tiles(spec, "attentionTiles", shared), tiles.length / 3, spec.heads(), 1, THREADS, shared);
            return;
        }
        int width = spec.headDim() + 1;
        int floats = 2 * PLAIN_ROWS * width + 2 * PLAIN_KEYS * width + PLAIN_ROWS * (PLAIN_KEYS + 1) + 3 * PLAIN_ROWS;
        stream.pass(Matrix.flags(q, k, v, out))
                .launch(
                        plain("attentionPlain", Float.BYTES * floats),
                        tiles.length / 3,
                        spec.heads(),
                        1,
                        THREADS,
                        Float.BYTES * floats);
    }

    void backward(
            AttentionSpec spec,
            Matrix q,
            Matrix k,
            Matrix v,
            int[] starts,
            Matrix out,
            Matrix logSumExp,
            Matrix dOut,
            Matrix dq,
            Matrix dk,
            Matrix dv) {
        try (DeviceMemory products = bench.memories().allocate((long) Float.BYTES * q.rows() * spec.heads())) {
            stream.pass(out.address())
                    .pass(out.stride())
                    .pass(dOut.address())
                    .pass(dOut.stride())
                    .pass(products.address())
                    .pass((long) q.rows())
                    .pass(spec.heads())
                    .pass(spec.headDim())
                    .pass(Matrix.flags(out, dOut))
                    .launch(
                            bench.kernels().get(PLAIN, "outputProducts"),
                            Kernel.blocks(32L * q.rows() * spec.heads()),
                            Kernel.THREADS);
            boolean tiled = isTiled(spec, q, k, v, dOut, dq, dk, dv);
            int[] tiles = tiles(starts, tiled ? TILE_ROWS : PLAIN_ROWS);
            passRows(q, k, v, dOut);
            stream.pass(logSumExp.address()).pass(products.address());
            stream.pass(dk.address()).pass(dk.stride()).pass(dv.address()).pass(dv.stride());
            passScoring(spec, q, tiles, tiled);
            launchBackward(spec, true, tiled, tiles.length / 3, Matrix.flags(q, k, v, dOut, dk, dv));
            passRows(q, k, v, dOut);
            stream.pass(logSumExp.address()).pass(products.address());
            stream.pass(dq.address()).pass(dq.stride());
            passScoring(spec, q, tiles, tiled);
            launchBackward(spec, false, tiled, tiles.length / 3, Matrix.flags(q, k, v, dOut, dq));
        }
    }

    private void launchBackward(AttentionSpec spec, boolean ofKeys, boolean tiled, int tiles, int flags) {
        int heads = ofKeys ? spec.kvHeads() : spec.heads();
        if (tiled) {
            int side = spec.headDim() <= 64 ? 64 : 32;
            // Two matrices that stay, two of which there are two stages, and two numbers a row.
            int shared = rowBytes(spec) * (2 * TILE_ROWS + 4 * side) + Float.BYTES * 4 * side;
            String name = ofKeys ? "attentionTilesKeyGradients" : "attentionTilesQueryGradients";
            stream.launch(tiles(spec, name, shared), tiles, heads, 1, THREADS, shared);
            return;
        }
        int squares = (ofKeys ? 6 : 5) * PLAIN_ROWS * (spec.headDim() + 1);
        int shared = Float.BYTES * (squares + 2 * PLAIN_ROWS * (PLAIN_ROWS + 1));
        String name = ofKeys ? "attentionPlainKeyGradients" : "attentionPlainQueryGradients";
        stream.pass(flags).launch(plain(name, shared), tiles, heads, 1, THREADS, shared);
    }

    /** Of a row in shared memory. */
    private static int rowBytes(AttentionSpec spec) {
        return (spec.headDim() + PAD) * DType.BF16.bytes();
    }

    private void passRows(Matrix... matrices) {
        for (Matrix matrix : matrices) {
            stream.pass(matrix.address()).pass(matrix.stride());
        }
    }

    private void passScoring(AttentionSpec spec, Matrix q, int[] tiles, boolean tiled) {
        stream.pass((long) q.rows()).pass(bench.uploads().send(tiles)).pass(spec.heads() / spec.kvHeads());
        if (!tiled) {
            stream.pass(spec.headDim());
        }
        stream.pass(spec.scale())
                .pass(spec.softcap())
                .pass(spec.window())
                .pass(spec.alibiSlopes() == null ? 0L : bench.uploads().send(spec.alibiSlopes()));
    }

    private static boolean isTiled(AttentionSpec spec, Matrix... matrices) {
        boolean fits = spec.headDim() % 16 == 0 && spec.headDim() <= WIDEST_TILE;
        for (Matrix matrix : matrices) {
            fits = fits && matrix.isBf16() && matrix.isWide();
        }
        return fits;
    }

    private Kernel tiles(AttentionSpec spec, String name, int sharedBytes) {
        boolean plain = spec.softcap() <= 0f && spec.alibiSlopes() == null;
        String dim = "DIM=" + spec.headDim();
        List<String> definitions = plain ? List.of(dim, "PLAIN_SCORES") : List.of(dim);
        Kernel kernel = bench.kernels().get(TILES, name, definitions);
        bench.kernels().allowSharedBytes(kernel, sharedBytes);
        return kernel;
    }

    private Kernel plain(String name, int sharedBytes) {
        Kernel kernel = bench.kernels().get(PLAIN, name);
        bench.kernels().allowSharedBytes(kernel, sharedBytes);
        return kernel;
    }

    /** For each tile its first row, and the first row and the end of its sequence. */
    private static int[] tiles(int[] starts, int rows) {
        int count = 0;
        for (int s = 0; s + 1 < starts.length; s++) {
            count += (starts[s + 1] - starts[s] + rows - 1) / rows;
        }
        int[] tiles = new int[3 * count];
        int next = 0;
        for (int s = 0; s + 1 < starts.length; s++) {
            for (int row = starts[s]; row < starts[s + 1]; row += rows) {
                tiles[next++] = row;
                tiles[next++] = starts[s];
                tiles[next++] = starts[s + 1];
            }
        }
        return tiles;
    }
}
