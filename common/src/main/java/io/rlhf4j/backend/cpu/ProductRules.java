package io.rlhf4j.backend.cpu;

import io.rlhf4j.tensor.DType;

/**
 * How oneDNN multiplies fastest on this processor, by measurement.
 *
 * <p>It either generates code for exactly one shape, which takes half a megabyte and up to a millisecond, or has code for
 * any sizes. Batches of whole rows have another number of tokens each time: they must not leave code behind. So the choice
 * follows from the shape alone, whoever asks and whenever, and with it the bits of the result.
 *
 * @param laysOut whether the code for any sizes lays out the factors of a piece that is not narrow: what oneDNN has for fp32
 *     and vectors of 256 bits does. No other was measured
 */
record ProductRules(boolean laysOut) {
    private static final int FEW_ROWS = 64;
    private static final int STEP = 16;
    /** Columns of the result, and length of the sums, from which on code for any sizes lays factors out. */
    private static final int LAID_OUT = 378;
    /** 1 / rows + 1 / columns of a result that is too narrow for that. */
    private static final double NARROW = 0.0038;
    /** Sums over a vocabulary, say. */
    private static final int LONG_SUMS = 16_384;

    /**
     * Whether oneDNN should generate code for this very shape: for few rows, and for sizes that tiles have, of which a run
     * meets a limited number. With many rows the code for any sizes is as fast.
     */
    boolean ownCode(ProductShape shape) {
        boolean longSums = shape.k() >= LONG_SUMS;
        boolean laidOut = laysOutFactors(shape.input(), shape.transposeB(), shape.m(), shape.n(), shape.k());
        if (laidOut || mayBeLaidOut(shape.input(), shape.transposeB()) && (shape.transposeA() || longSums)) {
            return false;
        }
        if (shape.m() >= FEW_ROWS) {
            return shape.m() % STEP == 0 && shape.k() % STEP == 0;
        }
        // A few rows times a matrix of weights: here the code for any sizes is faster, by measurement.
        return shape.m() > (shape.input() == DType.BF16 ? 1 : 8);
    }

    /**
     * Whether oneDNN lays both factors of a piece of a gradient out anew, so that it does not matter how they lie. Its code
     * for any sizes does where a piece is not narrow.
     */
    boolean laysOutFactors(DType input, boolean transposeB, int rows, int columns, int k) {
        return mayBeLaidOut(input, transposeB)
                && Math.min(columns, k) >= LAID_OUT
                && 1.0 / rows + 1.0 / columns < NARROW;
    }

    /**
     * Gradients, whose right factor does not lie transposed. Code for the very shape takes up to two fifths longer than code
     * that lays factors out, and than code for any sizes where sums are long, and an eighth longer where the left factor is
     * read by its columns. Forward products keep it: their rows must not depend on their number.
     */
    private boolean mayBeLaidOut(DType input, boolean transposeB) {
        return laysOut && input == DType.FP32 && !transposeB;
    }

    /** Columns of a piece of a large product at most. */
    int pieceColumns() {
        return laysOut ? 768 : 384;
    }
}
