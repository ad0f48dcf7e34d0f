package io.rlhf4j.backend.cuda;

import io.rlhf4j.tensor.AttentionSpec;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Attention of new tokens over a cache in blocks, the positions of a sequence cut into stretches. */
final class CachedAttention {
    private static final String FILE = "decoding";
    private static final List<String> HEADERS = List.of("attention.cuh");
    /** Positions of a stretch, and threads of a block. */
    private static final int STRETCH = 128;

    private static final int MOST_COLUMNS = 256;
    private static final int TOGETHER = 4;
    /** Flags of three matrices that are all bf16 and begin at multiples of 16 bytes. */
    private static final int ALL_WIDE_BF16 = Matrix.WIDE_FLAG | 7;

    private final Workbench bench;
    private final Stream stream;
    private final Map<Variant, Kernel> variants = new HashMap<>();

    CachedAttention(Workbench bench) {
        this.bench = bench;
        this.stream = bench.stream();
    }

    void attend(
            AttentionSpec spec,
            Matrix q,
            Matrix keys,
            Matrix values,
            int[][] blocks,
            int blockSize,
            int[] lengths,
            int[] starts,
            Matrix out) {
        if (spec.headDim() > MOST_COLUMNS) {
            throw new IllegalArgumentException(
                    "heads of %d columns; at most %d".formatted(spec.headDim(), MOST_COLUMNS));
        }
        if (keys.type() != values.type()) {
            throw new IllegalArgumentException("keys are %s, values %s".formatted(keys.type(), values.type()));
        }
        int[] sequences = new int[q.rows()];
        int[] positions = new int[q.rows()];
        int longest = 0;
        int mostBlocks = 1;
        for (int s = 0; s < lengths.length; s++) {
            for (int row = starts[s]; row < starts[s + 1]; row++) {
                sequences[row] = s;
                positions[row] = lengths[s] - (starts[s + 1] - row);
            }
            longest = Math.max(longest, lengths[s]);
            mostBlocks = Math.max(mostBlocks, blocks[s].length);
        }
        int[] table = new int[lengths.length * mostBlocks];
        for (int s = 0; s < lengths.length; s++) {
            System.arraycopy(blocks[s], 0, table, s * mostBlocks, blocks[s].length);
        }
        int stretches = Math.max(1, (longest + STRETCH - 1) / STRETCH);
        long partialBytes = stretches == 1
                ? Float.BYTES
                : (long) Float.BYTES * q.rows() * spec.heads() * stretches * (spec.headDim() + 2);
        try (DeviceMemory partials = bench.memories().allocate(partialBytes)) {
            int group = spec.heads() / spec.kvHeads();
            boolean single = group == 1;
            int tiles = single ? 1 : (group + TOGETHER - 1) / TOGETHER;
            stream.pass(q.address())
                    .pass(q.stride())
                    .pass(keys.address())
                    .pass(keys.stride())
                    .pass(values.address())
                    .pass(values.stride())
                    .pass(bench.uploads().send(table))
                    .pass(mostBlocks)
                    .pass(blockSize)
                    .pass(bench.uploads().send(sequences))
                    .pass(bench.uploads().send(positions))
                    .pass(out.address())
                    .pass(out.stride())
                    .pass(partials.address())
                    .pass(spec.heads())
                    .pass(group)
                    .pass(spec.headDim())
                    .pass(spec.scale())
                    .pass(spec.softcap())
                    .pass(spec.window())
                    .pass(spec.alibiSlopes() == null ? 0L : bench.uploads().send(spec.alibiSlopes()))
                    .pass(flags(spec, q, keys, values, out))
                    .launch(
                            kernel(single ? "attendCache1" : "attendCache4", spec, keys, values, out),
                            q.rows(),
                            spec.kvHeads() * tiles,
                            stretches,
                            STRETCH,
                            0);
            if (stretches > 1) {
                stream.pass(partials.address())
                        .pass(bench.uploads().send(positions))
                        .pass(out.address())
                        .pass(out.stride())
                        .pass(spec.heads())
                        .pass(stretches)
                        .pass(spec.headDim())
                        .pass(spec.window())
                        .pass(Matrix.flags(q, keys, values, out))
                        .launch(
                                kernel("joinStretches", spec, keys, values, out),
                                q.rows(),
                                spec.heads(),
                                1,
                                (spec.headDim() + 31) / 32 * 32,
                                0);
            }
        }
    }

    /** What a kernel is compiled for. */
    private record Variant(String name, int lanes, boolean wideBf16) {}

    private Kernel kernel(String name, AttentionSpec spec, Matrix... matrices) {
        boolean wideBf16 = spec.headDim() % 8 == 0 && Matrix.flags(matrices) == ALL_WIDE_BF16;
        return variants.computeIfAbsent(new Variant(name, lanes(spec.headDim()), wideBf16), variant -> {
            String lanes = "LANES=" + variant.lanes;
            return bench.kernels().get(FILE, name, HEADERS, wideBf16 ? List.of(lanes, "WIDE_BF16") : List.of(lanes));
        });
    }

    /** Every head's columns have to begin at a wide place. */
    private static int flags(AttentionSpec spec, Matrix... matrices) {
        int flags = Matrix.flags(matrices);
        return spec.headDim() % 8 == 0 ? flags : flags & ~Matrix.WIDE_FLAG;
    }

    /** Lanes of a warp that share a position, eight columns each: a power of two. */
    private static int lanes(int headDim) {
        int wanted = (headDim + 7) / 8;
        return wanted <= 1 ? 1 : Integer.highestOneBit(wanted - 1) << 1;
    }
}
