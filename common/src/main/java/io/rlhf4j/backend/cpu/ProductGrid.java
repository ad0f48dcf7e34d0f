package io.rlhf4j.backend.cpu;

/**
 * How a matrix product is cut into pieces, by its sizes alone: small ones not at all, those of few rows into one piece a
 * thread, and large ones into a few pieces for each thread, none too large and all nearly square, so that a piece's product
 * pays for laying out its factors.
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
        // As many pieces as keep all threads busy to the end: the fewest, and of those the squarest.
        ProductGrid best = null;
        for (int alongRows = rows; alongRows < rows + threads; alongRows++) {
            for (int alongColumns = columns; alongColumns < columns + threads; alongColumns++) {
                ProductGrid grid = cut(m, n, alongRows, alongColumns);
                if (alongRows * alongColumns % threads == 0 && (best == null || grid.isBetterThan(best))) {
                    best = grid;
                }
            }
        }
        return best;
    }

    private boolean isBetterThan(ProductGrid other) {
        return pieces() < other.pieces() || pieces() == other.pieces() && edge() < other.edge();
    }

    /** What must be read for each product of two numbers, next to other cuts of as many pieces. */
    private double edge() {
        return 1.0 / pieceRows + 1.0 / pieceColumns;
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
