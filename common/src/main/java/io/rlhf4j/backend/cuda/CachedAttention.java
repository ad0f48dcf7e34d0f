package io.rlhf4j.backend.cuda;

import io.rlhf4j.tensor.AttentionSpec;
import io.rlhf4j.tensor.CachedTokens;
import io.rlhf4j.tensor.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Attention of new tokens over a cache in blocks, the positions of few sequences cut into splits. Prompts that are new as a
 * whole, the last of the sequences, are taken out of the cache and go the way of a batch in training.
 */
final class CachedAttention {
    private static final String FILE = "decoding";
    private static final int THREADS = 128;
    /** A split has at least so many positions: a tile for each warp. */
    private static final int LEAST_OF_SPLIT = 128;
    /** Blocks that a multiprocessor works on at once, about. */
    private static final int BLOCKS_AT_ONCE = 5;

    private static final int MOST_COLUMNS = 256;
    private static final int TOGETHER = 4;
    /** A prompt of so many tokens is worth that. */
    private static final int LONG_PROMPT = 32;

    private static final int FIRST_ARRIVALS = 1 << 16;

    private final Workbench bench;
    private final Stream stream;
    private final Transfers transfers;
    private final Attention attention;
    private final Map<Variant, Kernel> variants = new HashMap<>();
    private DeviceMemory arrivals;

    CachedAttention(Workbench bench, Transfers transfers, Attention attention) {
        this.bench = bench;
        this.transfers = transfers;
        this.attention = attention;
        this.stream = bench.stream();
    }

    /** {@link io.rlhf4j.tensor.Backend#cachedAttention}. */
    void attend(AttentionSpec spec, Matrix q, Matrix keys, Matrix values, CachedTokens tokens, Matrix out) {
        int[] lengths = tokens.lengths();
        int[] starts = tokens.starts();
        int prompts = lengths.length;
        while (prompts > 0 && isNewPrompt(lengths[prompts - 1], starts[prompts] - starts[prompts - 1])) {
            prompts--;
        }
        if (prompts == lengths.length) {
            overCache(spec, q, null, null, keys, values, tokens, out);
            return;
        }
        int row = starts[prompts];
        if (prompts > 0) {
            CachedTokens others = new CachedTokens(
                    Arrays.copyOf(tokens.blocks(), prompts),
                    tokens.blockSize(),
                    Arrays.copyOf(lengths, prompts),
                    Arrays.copyOf(starts, prompts + 1));
            overCache(spec, q.slice(0, row), null, null, keys, values, others, out.slice(0, row));
        }
        overPrompts(spec, q.slice(row, q.rows()), keys, values, tokens, prompts, out.slice(row, q.rows()));
    }

    private static boolean isNewPrompt(int length, int newTokens) {
        return length == newTokens && length >= LONG_PROMPT;
    }

    /** Of the sequences from number {@code first} on, whose tokens are those of q. */
    private void overPrompts(
            AttentionSpec spec, Matrix q, Matrix keys, Matrix values, CachedTokens tokens, int first, Matrix out) {
        int[] starts = Arrays.copyOfRange(tokens.starts(), first, tokens.starts().length);
        int before = starts[0];
        Arrays.setAll(starts, i -> starts[i] - before);
        int[] rows = new int[q.rows()];
        for (int s = 0; s + 1 < starts.length; s++) {
            for (int position = 0; position < starts[s + 1] - starts[s]; position++) {
                rows[starts[s] + position] = tokens.row(first + s, position);
            }
        }
        long bytes = (long) keys.type().bytes() * rows.length * keys.columns();
        try (DeviceMemory keyMemory = bench.memories().allocate(bytes);
                DeviceMemory valueMemory = bench.memories().allocate(bytes)) {
            Matrix k = Matrix.in(keyMemory, keys.type(), rows.length, keys.columns());
            Matrix v = Matrix.in(valueMemory, values.type(), rows.length, values.columns());
            transfers.gather(keys, rows, k);
            transfers.gather(values, rows, v);
            attention.forward(spec, q, k, v, starts, out, null);
        }
    }

    /**
     * {@link io.rlhf4j.tensor.Backend#extendCacheAndAttend} where every sequence has one new token.
     *
     * @param newKeys a row for each row of q, of the type of the cache; null where the cache holds them, like newValues
     */
    void overCache(
            AttentionSpec spec,
            Matrix q,
            Matrix newKeys,
            Matrix newValues,
            Matrix keys,
            Matrix values,
            CachedTokens tokens,
            Matrix out) {
        if (spec.headDim() > MOST_COLUMNS) {
            throw new IllegalArgumentException(
                    "heads of %d columns; at most %d".formatted(spec.headDim(), MOST_COLUMNS));
        }
        if (keys.type() != values.type()) {
            throw new IllegalArgumentException("keys are %s, values %s".formatted(keys.type(), values.type()));
        }
        int group = spec.heads() / spec.kvHeads();
        int tiles = spec.kvHeads() * (group == 1 ? 1 : (group + TOGETHER - 1) / TOGETHER);
        int[][] blocks = tokens.blocks();
        int[] lengths = tokens.lengths();
        int[] starts = tokens.starts();
        int width = Arrays.stream(blocks).mapToInt(own -> own.length).max().orElse(1);
        int splits = splits(q.rows() * tiles, width * tokens.blockSize());
        long partialBytes = splits == 1
                ? Float.BYTES
                : (long) Float.BYTES * q.rows() * spec.heads() * splits * (spec.headDim() + 2);
        // Before the arguments are passed: the first time it starts a kernel of its own.
        long arrivals = arrivals(q.rows() * tiles);
        Uploads uploads = bench.uploads();
        try (DeviceMemory partials = bench.memories().allocate(partialBytes)) {
            stream.pass(q.address())
                    .pass(q.stride())
                    .pass(Matrix.address(newKeys))
                    .pass(newKeys == null ? 0L : newKeys.stride())
                    .pass(Matrix.address(newValues))
                    .pass(newValues == null ? 0L : newValues.stride())
                    .pass(keys.address())
                    .pass(keys.stride())
                    .pass(values.address())
                    .pass(values.stride())
                    .pass(uploads.send(blocks, () -> table(blocks, width)))
                    .pass(width)
                    .pass(uploads.send(starts, () -> sequences(starts)))
                    .pass(uploads.send(lengths, () -> positions(lengths, starts)))
                    .pass(out.address())
                    .pass(out.stride())
                    .pass(partials.address())
                    .pass(arrivals)
                    .pass(spec.heads())
                    .pass(group)
                    .pass(spec.headDim())
                    .pass(spec.scale())
                    .pass(spec.softcap())
                    .pass(spec.window())
                    .pass(spec.alibiSlopes() == null ? 0L : uploads.send(spec.alibiSlopes()))
                    .pass(flags(spec, q, keys, values, out, newKeys, newValues))
                    .launch(
                            kernel(group == 1, spec, tokens.blockSize(), keys, values, newKeys, newValues),
                            q.rows(),
                            tiles,
                            splits,
                            THREADS,
                            0);
        }
    }

    /** So many that the blocks fill the chip, where the sequences are long enough. */
    private int splits(int blocks, int longest) {
        int wanted = -Math.floorDiv(-BLOCKS_AT_ONCE * bench.multiprocessors(), Math.max(1, blocks));
        return Math.max(1, Math.min(wanted, longest / LEAST_OF_SPLIT));
    }

    /** The sequences' blocks as the rows of a matrix. */
    private static int[] table(int[][] blocks, int width) {
        int[] table = new int[blocks.length * width];
        for (int s = 0; s < blocks.length; s++) {
            System.arraycopy(blocks[s], 0, table, s * width, blocks[s].length);
        }
        return table;
    }

    /** Of each row. */
    private static int[] sequences(int... starts) {
        int[] sequences = new int[starts[starts.length - 1]];
        for (int s = 0; s + 1 < starts.length; s++) {
            Arrays.fill(sequences, starts[s], starts[s + 1], s);
        }
        return sequences;
    }

    /** Of each row in its sequence, whose last is its last position. */
    private static int[] positions(int[] lengths, int... starts) {
        int[] positions = new int[starts[lengths.length]];
        for (int s = 0; s < lengths.length; s++) {
            for (int row = starts[s]; row < starts[s + 1]; row++) {
                positions[row] = lengths[s] - (starts[s + 1] - row);
            }
        }
        return positions;
    }

    /** Counters of zero, which every launch leaves as it found them. What recorded passes may know is not given back. */
    private long arrivals(int count) {
        if (arrivals == null || arrivals.bytes() < (long) Integer.BYTES * count) {
            int room = Math.max(FIRST_ARRIVALS, 2 * count);
            arrivals = bench.memories().allocate((long) Integer.BYTES * room);
            transfers.fill(Matrix.in(arrivals, DType.FP32, 1, room), 0f);
        }
        return arrivals.address();
    }

    /** What a kernel is compiled for. */
    private record Variant(boolean oneHead, int lanes, int blockSize, boolean wideBf16, boolean plainScores) {}

    private Kernel kernel(boolean oneHead, AttentionSpec spec, int blockSize, Matrix... cached) {
        boolean wideBf16 = spec.headDim() % 8 == 0
                && Arrays.stream(cached).allMatch(matrix -> matrix == null || matrix.isBf16() && matrix.isWide());
        boolean plainScores = spec.softcap() <= 0f && spec.alibiSlopes() == null;
        Variant variant = new Variant(oneHead, lanes(spec.headDim()), blockSize, wideBf16, plainScores);
        return variants.computeIfAbsent(variant, this::compiled);
    }

    private Kernel compiled(Variant variant) {
        List<String> definitions = new ArrayList<>(List.of("LANES=" + variant.lanes, "BLOCK=" + variant.blockSize));
        if (variant.wideBf16) {
            definitions.add("WIDE_BF16");
        }
        if (variant.plainScores) {
            definitions.add("PLAIN_SCORES");
        }
        return bench.kernels().get(FILE, variant.oneHead ? "attendCache1" : "attendCache4", definitions);
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
