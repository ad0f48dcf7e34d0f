package io.rlhf4j.backend.cpu;

/**
 * How a matrix product is cut into pieces, by its sizes alone: small ones not at all, those of few rows into one piece a
 * thread, and large ones into pieces that are not too large, of which the busiest thread is through with its own soonest.
 *
 * @param pieceRows rows of the result that a piece computes, but for the last ones
 * @param pieceColumns columns likewise
 * @param alongRows pieces side by side along the rows
 * @param alongColumns pieces side by side along the columns
 */
record ProductGrid(int pieceRows, int pieceColumns, int alongRows, int alongColumns) {
    private static final long SMALL = 1L << 20;
    private static final int STEP = 64;
    /** Below so many rows a product is bound by reading its weights, and one long piece a thread reads them best. */
    private static final int FEW_ROWS = 128;

    private static final int MOST_ROWS = 1024;

    /** Products of two numbers in the time that it takes to read and lay out one number of a factor. */
    private static final long LAYING_OUT = 64;

    /** The cut of a product [m, k] times [k, n] for so many threads, with pieces of {@code mostColumns} at most. */
    static ProductGrid of(int m, int n, int k, int threads, int mostColumns) {
        if (threads == 1 && m <= MOST_ROWS || 2L * m * n * k < SMALL) {
            return new ProductGrid(m, n, 1, 1);
        }
        if (Math.min(m, n) < FEW_ROWS) {
            return n >= m ? cut(m, n, 1, threads) : cut(m, n, threads, 1);
        }
        int rows = (m + MOST_ROWS - 1) / MOST_ROWS;
        int columns = (n + mostColumns - 1) / mostColumns;
        ProductGrid best = cut(m, n, rows, columns);
        for (int alongRows = rows; alongRows < rows + threads; alongRows++) {
            for (int alongColumns = columns; alongColumns <= columns + threads / alongRows; alongColumns++) {
                ProductGrid grid = cut(m, n, alongRows, alongColumns);
                if (grid.cost(threads) < best.cost(threads)) {
                    best = grid;
                }
            }
        }
        return best;
    }

    /** What the busiest thread does, in products of two numbers for each of the k. */
    private long cost(int threads) {
        long piece = (long) pieceRows * pieceColumns + LAYING_OUT * (pieceRows + pieceColumns);
        return (pieces() + threads - 1) / threads * piece;
    }

    private static ProductGrid cut(int m, int n, int alongRows, int alongColumns) {
        int rows = size(m, alongRows);
        int columns = size(n, alongColumns);
        return new ProductGrid(rows, columns, (m + rows - 1) / rows, (n + columns - 1) / columns);
    }

    private static int size(int length, int pieces) {
        return pieces == 1 ? length : Math.max(STEP, (length + pieces * STEP - 1) / (pieces * STEP) * STEP);
    }

    int pieces() {
        return alongRows * alongColumns;
    }

    /** First row of a piece. Pieces of the same columns follow each other. */
    int row(int piece) {
        return piece % alongRows * pieceRows;
    }

    /** First column of a piece. */
    int column(int piece) {
        return piece / alongRows * pieceColumns;
    }
}
