package io.rlhf4j.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A large product is cut so that its pieces are all of it, and no thread has much more to do than the others. */
class ProductGridTest {
    private static final int[] SIZES = {128, 130, 300, 576, 700, 768, 1024, 2304, 3072, 50272};

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 8, 16, 64})
    void thePiecesAreTheWholeResult(int threads) {
        for (int m : SIZES) {
            for (int n : SIZES) {
                ProductGrid grid = ProductGrid.of(m, n, 768, threads, 768);
                long numbers = 0;
                for (int piece = 0; piece < grid.pieces(); piece++) {
                    int rows = Math.min(grid.pieceRows(), m - grid.row(piece));
                    int columns = Math.min(grid.pieceColumns(), n - grid.column(piece));
                    assertThat(rows).as("rows of %s", grid).isPositive();
                    assertThat(columns).as("columns of %s", grid).isPositive();
                    numbers += (long) rows * columns;
                }
                assertThat(numbers).as("%d x %d: %s", m, n, grid).isEqualTo((long) m * n);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "1024, 768, 2",
        "1024, 3072, 2",
        "3072, 768, 2",
        "2304, 768, 2",
        "2048, 2304, 2",
        "50272, 768, 8",
        "4096, 768, 16"
    })
    void theBusiestThreadHasATenthMoreThanItsShareAtMost(int m, int n, int threads) {
        ProductGrid grid = ProductGrid.of(m, n, 768, threads, 768);
        int rounds = (grid.pieces() + threads - 1) / threads;
        double share = (double) m * n / threads;
        assertThat((double) rounds * grid.pieceRows() * grid.pieceColumns())
                .as("%s", grid)
                .isLessThanOrEqualTo(1.1 * share);
    }
}
