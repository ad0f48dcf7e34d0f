package io.rlhf4j.tensor;

/**
 * New tokens of sequences, and where all of a sequence's tokens lie in a cache. Sequence s has new tokens
 * {@code starts[s] .. starts[s + 1]}, the last of them at position {@code lengths[s] - 1}; its position p lies in row
 * {@code blocks[s][p / blockSize] * blockSize + p % blockSize} of keys and values. The arrays are not copied: a repeated
 * pass finds in them what they hold by then.
 *
 * @param blocks of each sequence, as many as its length needs or more
 * @param blockSize positions of a block
 * @param lengths of the sequences, the new tokens included
 * @param starts where the new tokens of each sequence begin and, last, how many there are
 */
public record CachedTokens(int[][] blocks, int blockSize, int[] lengths, int[] starts) {
    /** The row of the cache in which a position of a sequence lies. */
    public int row(int sequence, int position) {
        return blocks[sequence][position / blockSize] * blockSize + position % blockSize;
    }
}
