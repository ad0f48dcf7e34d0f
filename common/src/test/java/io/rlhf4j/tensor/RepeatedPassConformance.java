package io.rlhf4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A pass that is run again and again reads what its host arrays hold each time, and gives the bits of one that is run once. */
interface RepeatedPassConformance extends Conformance {
    int ROWS = 8;
    int WIDTH = 64;
    int BLOCK = 4;
    int BLOCKS_OF_SEQUENCE = 80;

    /** A layer of decoding: rows of a table, a product, keys and values into the cache, attention over it, a product. */
    final class Layer {
        private final Backend backend;
        private final Scope scope;
        private final AttentionSpec spec = new AttentionSpec(4, 2, WIDTH / 4, 0.25f, 0, 0f, null);
        private final Tensor table;
        private final Tensor weight;
        private final Tensor keys;
        private final Tensor values;
        private final Tensor result;
        private final int[] indices = new int[ROWS];
        private final int[] places = new int[ROWS];
        private final int[] lengths = new int[ROWS];
        private final int[][] blocks = new int[ROWS][BLOCKS_OF_SEQUENCE];
        private final int[] starts = {0, 1, 2, 3, 4, 5, 6, 7, 8};

        Layer(Workbench bench, Backend backend, DType type) {
            this.backend = backend;
            this.scope = bench.scope();
            table = bench.normal(type, 50, WIDTH);
            weight = bench.normal(type, WIDTH, WIDTH);
            keys = bench.normal(type, ROWS * BLOCKS_OF_SEQUENCE * BLOCK, WIDTH / 2);
            values = bench.normal(type, ROWS * BLOCKS_OF_SEQUENCE * BLOCK, WIDTH / 2);
            result = bench.output(type, ROWS, WIDTH);
        }

        /** What the arrays hold in a step; lengths grow over what one piece of the attention takes. */
        void prepare(int step) {
            for (int row = 0; row < ROWS; row++) {
                indices[row] = (7 * row + 3 * step) % 50;
                lengths[row] = 1 + 70 * step + row;
                for (int i = 0; i < BLOCKS_OF_SEQUENCE; i++) {
                    blocks[row][i] = (i * ROWS + row + step) % (ROWS * BLOCKS_OF_SEQUENCE);
                }
                int last = lengths[row] - 1;
                places[row] = blocks[row][last / BLOCK] * BLOCK + last % BLOCK;
            }
        }

        void run() {
            try (Scope work = scope.child("pass")) {
                Tensor x = work.allocate(table.type(), ROWS, WIDTH);
                backend.gatherRows(table, indices, x);
                Tensor q = work.allocate(table.type(), ROWS, WIDTH);
                backend.linear(x, weight, null, Activation.GELU, x, q);
                backend.putRows(q.columns(0, WIDTH / 2), places, keys);
                backend.putRows(q.columns(WIDTH / 2, WIDTH), places, values);
                Tensor attended = work.allocate(table.type(), ROWS, WIDTH);
                backend.cachedAttention(
                        spec, q, keys, values, new CachedTokens(blocks, BLOCK, lengths, starts), attended);
                backend.linear(attended, weight, null, null, q, result);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    default void aRepeatedPassReadsWhatItsArraysHold(DType type) {
        float[][] expected = new float[5][];
        try (Workbench bench = open()) {
            Layer layer = new Layer(bench, backend(), type);
            for (int step = 0; step < expected.length; step++) {
                layer.prepare(step);
                layer.run();
                expected[step] = layer.result.toFloats();
            }
        }
        try (Workbench bench = open()) {
            Layer layer = new Layer(bench, backend(), type);
            try (RepeatedPass pass = backend().repeated(layer::run)) {
                for (int step = 0; step < expected.length; step++) {
                    layer.prepare(step);
                    pass.run();
                    // Memory that others take meanwhile is not the pass's.
                    bench.normal(type, ROWS, WIDTH);
                    assertThat(layer.result.toFloats()).as("step %d", step).isEqualTo(expected[step]);
                }
            }
        }
    }
}
