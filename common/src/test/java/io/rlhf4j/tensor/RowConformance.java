package io.rlhf4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Rows chosen and rows added, as embeddings need them. */
interface RowConformance extends Conformance {
    @ParameterizedTest
    @EnumSource(DType.class)
    default void gatheredRowsKeepTheirBits(DType type) {
        for (int columns : ODD_LENGTHS) {
            try (Workbench bench = open()) {
                Tensor table = bench.normal(type, 23, columns);
                int[] indices = {22, 0, 7, 7, 1, 22};
                Tensor out = bench.output(type, indices.length, columns);
                backend().gatherRows(table, indices, out);
                float[] whole = table.toFloats();
                float[] rows = out.toFloats();
                for (int i = 0; i < rows.length; i++) {
                    assertThat(rows[i]).isEqualTo(whole[indices[i / columns] * columns + i % columns]);
                }
            }
        }
    }

    @Test
    default void scatteredRowsAreAddedAlsoWhereIndicesRepeat() {
        for (DType typeOfRows : DType.values()) {
            for (DType typeOfTable : DType.values()) {
                for (int columns : ODD_LENGTHS) {
                    try (Workbench bench = open()) {
                        Tensor table = bench.normal(typeOfTable, 11, columns);
                        int[] indices = {10, 0, 3, 3, 1, 10, 3};
                        Tensor rows = bench.normal(typeOfRows, indices.length, columns);
                        double[] expected = Workbench.values(table);
                        double[] added = Workbench.values(rows);
                        for (int i = 0; i < added.length; i++) {
                            expected[indices[i / columns] * columns + i % columns] += added[i];
                        }
                        backend().scatterAddRows(rows, indices, table);
                        Tolerance.of(typeOfTable).check(rows + " added to " + table, table, expected);
                    }
                }
            }
        }
    }

    @Test
    default void rowsThatDoNotFitAreRefused() {
        try (Workbench bench = open()) {
            Tensor table = bench.normal(DType.FP32, 4, 6);
            Tensor narrow = bench.normal(DType.FP32, 2, 5);
            Tensor rows = bench.normal(DType.FP32, 2, 6);
            assertRefused(() -> backend().gatherRows(table, new int[] {0, 1}, narrow), "[2, 5]");
            assertRefused(() -> backend().gatherRows(table, new int[] {0, 1, 2}, rows), "[2, 6]");
            assertRefused(() -> backend().scatterAddRows(narrow, new int[] {0, 1}, table), "[2, 5]");
            assertRefused(() -> backend().gatherRows(table, new int[] {0, 4}, rows), "[4, 6]");
            assertRefused(() -> backend().gatherRows(table, new int[] {-1, 0}, rows), "[4, 6]");
            assertRefused(() -> backend().scatterAddRows(rows, new int[] {0, 4}, table), "[4, 6]");
        }
    }

    private static void assertRefused(Runnable call, String named) {
        assertThatThrownBy(call::run)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(named);
    }
}
