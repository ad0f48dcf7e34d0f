package io.rlhf4j.model;

import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Keys and values of sequences that are being generated, in blocks of a few tokens that any sequence can take (Kwon et al.
 * 2023). Sequences that begin alike share the blocks of what they have in common.
 */
public final class KvCache {
    private final Backend backend;
    private final int blockSize;
    private final List<Tensor> keys = new ArrayList<>();
    private final List<Tensor> values = new ArrayList<>();
    private final CachedSequence filler = new CachedSequence();
    private final int[] users;
    private final int[] free;
    private int freeCount;

    /**
     * A cache for {@code blocks * blockSize} tokens, held by {@code scope}, and one block more for rows that are none.
     *
     * @param type of keys and values: that of the model
     */
    public KvCache(Scope scope, TransformerConfig config, DType type, int blockSize, int blocks) {
        this.backend = scope.backend();
        this.blockSize = blockSize;
        this.users = new int[blocks];
        this.free = new int[blocks];
        this.freeCount = blocks;
        Arrays.setAll(free, i -> blocks - 1 - i);
        filler.addBlock(blocks);
        filler.setLength(1);
        int width = config.attention().kvHeads() * config.attention().headDim();
        for (int layer = 0; layer < config.layers(); layer++) {
            keys.add(scope.allocate(type, Math.multiplyExact(blocks + 1, blockSize), width));
            values.add(scope.allocate(type, Math.multiplyExact(blocks + 1, blockSize), width));
        }
    }

    /** Bytes that a cache for {@code tokens} tokens holds. */
    public static long bytes(TransformerConfig config, DType type, long tokens) {
        return 2L
                * config.layers()
                * config.attention().kvHeads()
                * config.attention().headDim()
                * type.bytes()
                * tokens;
    }

    /** Tokens of one block. */
    public int blockSize() {
        return blockSize;
    }

    /** Blocks that no sequence holds. */
    public int freeBlocks() {
        return freeCount;
    }

    /** How many free blocks {@code sequence} would take to hold {@code tokens} more tokens. */
    public int blocksFor(CachedSequence sequence, int tokens) {
        int wanted = -Math.floorDiv(-(sequence.length() + tokens), blockSize) - sequence.blocks().length;
        return wanted + (tokens > 0 && lastBlockIsShared(sequence) ? 1 : 0);
    }

    /** A sequence without tokens. */
    public CachedSequence open() {
        return new CachedSequence();
    }

    /** A sequence that holds the same tokens as {@code sequence} and shares its blocks until one of them grows. */
    public CachedSequence fork(CachedSequence sequence) {
        CachedSequence fork = new CachedSequence();
        for (int block : sequence.blocks()) {
            users[block]++;
            fork.addBlock(block);
        }
        fork.setLength(sequence.length());
        return fork;
    }

    /** Gives a sequence's blocks back. */
    public void close(CachedSequence sequence) {
        for (int block : sequence.blocks()) {
            release(block);
        }
        sequence.clear();
    }

    /** A sequence of one token that stands where a pass has more rows than there are sequences. Nobody owns it. */
    CachedSequence filler() {
        return filler;
    }

    Tensor keys(int layer) {
        return keys.get(layer);
    }

    Tensor values(int layer) {
        return values.get(layer);
    }

    /** Makes room for {@code tokens} more tokens and counts them as held. */
    void grow(CachedSequence sequence, int tokens) {
        if (blocksFor(sequence, tokens) > freeCount) {
            throw new IllegalStateException("%d tokens need %d blocks of the cache, %d are free"
                    .formatted(tokens, blocksFor(sequence, tokens), freeCount));
        }
        if (tokens > 0 && lastBlockIsShared(sequence)) {
            int last = sequence.blocks().length - 1;
            int shared = sequence.blocks()[last];
            int own = take();
            copyBlock(shared, own);
            sequence.replaceBlock(last, own);
            release(shared);
        }
        for (int missing = blocksFor(sequence, tokens); missing > 0; missing--) {
            sequence.addBlock(take());
        }
        sequence.setLength(sequence.length() + tokens);
    }

    /** Where the positions {@code from} to {@code to} (exclusive) of a sequence lie, into {@code rows} from {@code at} on. */
    void rows(CachedSequence sequence, int from, int to, int[] rows, int at) {
        for (int position = from; position < to; position++) {
            rows[at + position - from] = sequence.blocks()[position / blockSize] * blockSize + position % blockSize;
        }
    }

    private boolean lastBlockIsShared(CachedSequence sequence) {
        int[] blocks = sequence.blocks();
        return sequence.length() % blockSize != 0 && users[blocks[blocks.length - 1]] > 1;
    }

    private void copyBlock(int from, int to) {
        for (int layer = 0; layer < keys.size(); layer++) {
            for (Tensor tensor : List.of(keys.get(layer), values.get(layer))) {
                backend.copy(
                        tensor.slice(from * blockSize, (from + 1) * blockSize),
                        tensor.slice(to * blockSize, (to + 1) * blockSize));
            }
        }
    }

    private int take() {
        int block = free[--freeCount];
        users[block] = 1;
        return block;
    }

    private void release(int block) {
        if (--users[block] == 0) {
            free[freeCount++] = block;
        }
    }
}
