package io.rlhf4j.model;

import java.util.Arrays;

/** One sequence's place in a {@link KvCache}: how many tokens it holds and in which blocks. */
public final class CachedSequence {
    private int[] blocks = new int[0];
    private int length;

    CachedSequence() {}

    /** Tokens whose keys and values are in the cache. */
    public int length() {
        return length;
    }

    /** The blocks that hold them, in order. */
    int[] blocks() {
        return blocks;
    }

    void addBlock(int block) {
        blocks = Arrays.copyOf(blocks, blocks.length + 1);
        blocks[blocks.length - 1] = block;
    }

    void replaceBlock(int index, int block) {
        blocks[index] = block;
    }

    void setLength(int length) {
        this.length = length;
    }

    void clear() {
        blocks = new int[0];
        length = 0;
    }
}
