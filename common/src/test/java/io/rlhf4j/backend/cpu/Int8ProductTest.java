package io.rlhf4j.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Int8;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Weights rounded to int8 as this processor lays them out and multiplies by them. */
class Int8ProductTest {
    /** Outputs and inputs: not whole blocks, one input, several parts. */
    private static final int[][] LAYERS = {{70, 1}, {65, 577}, {1, 1025}, {576, 1536}, {200, 2048}, {1000, 96}};

    private static final int[] ROWS = {1, 2, 3, 4, 8, 37, 128, 200, 600};
    private static final float UNTOUCHED = 77f;

    @ParameterizedTest
    @EnumSource(DType.class)
    void eachWeightIsItsWholeNumberTimesItsOutputsScale(DType type) {
        for (int[] layer : LAYERS) {
            CpuBackend backend = new CpuBackend(2);
            try (Scope scope = Scope.root(backend, "weights")) {
                Tensor weight = weight(scope, type, layer);
                Tensor packed = packed(scope, weight);
                Tensor unit = scope.zeros(type, layer[1], layer[1]);
                float[] ones = new float[layer[1] * layer[1]];
                for (int i = 0; i < layer[1]; i++) {
                    ones[i * layer[1] + i] = 1;
                }
                backend.write(unit, ones, 0);
                Tensor out = scope.allocate(DType.FP32, layer[1], layer[0]);
                backend.linear(unit, packed, null, out);
                float[] rounded = weight.toFloats();
                Int8.round(rounded, layer[1]);
                float[] found = out.toFloats();
                for (int i = 0; i < found.length; i++) {
                    // Adding 0 makes one of both zeros.
                    assertThat(found[i] + 0f)
                            .as("input %d, output %d of %s", i / layer[0], i % layer[0], weight)
                            .isEqualTo(rounded[i % layer[0] * layer[1] + i / layer[0]] + 0f);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    void aRowDoesNotDependOnTheRowsBesideIt(DType type) {
        for (int threads : new int[] {1, 2}) {
            CpuBackend backend = new CpuBackend(threads);
            for (int[] layer : LAYERS) {
                try (Scope scope = Scope.root(backend, "rows")) {
                    Tensor packed = packed(scope, weight(scope, type, layer));
                    SplittableRandom random = new SplittableRandom(6);
                    Tensor x = RowBitsTest.filled(scope.allocate(type, 600, layer[1]), random, 1);
                    Tensor bias = RowBitsTest.filled(scope.allocate(type, layer[0]), random, 1);
                    float[] alone = null;
                    for (int rows : ROWS) {
                        Tensor out = scope.allocate(type, rows, layer[0]);
                        backend.linear(x.slice(0, rows), packed, bias, out);
                        float[] first = out.slice(0, 1).toFloats();
                        alone = alone == null ? first : alone;
                        assertThat(first)
                                .as("[%d, %d] of %d rows", layer[0], layer[1], rows)
                                .isEqualTo(alone);
                    }
                }
            }
        }
    }

    /** The way that few rows take where memory is read by address, which it is not in tests. */
    @ParameterizedTest
    @EnumSource(DType.class)
    void aFewRowsHaveTheBitsOfMany(DType type) {
        CpuBackend backend = new CpuBackend(1);
        OneDnn oneDnn = new OneDnn();
        MemoryPool memories = new MemoryPool(new NativeCalls(oneDnn.library()), MemoryBudget.OF_THIS_PROCESS);
        Workspace workspace = new Workspace(memories, oneDnn);
        for (int[] layer : LAYERS) {
            try (Scope scope = Scope.root(backend, "few rows")) {
                PackedWeight packed =
                        (PackedWeight) packed(scope, weight(scope, type, layer)).storage();
                for (int rows = 1; rows <= 5; rows++) {
                    PackedWeight.Part part = packed.pieces().get(0).parts().get(0);
                    Tensor x =
                            RowBitsTest.filled(scope.allocate(DType.FP32, rows, layer[1]), new SplittableRandom(8), 1);
                    Tensor many = scope.allocate(DType.FP32, rows, layer[0]);
                    Int8Product.multiply(Rows.of(x), 0, rows, part, sums(many), workspace);
                    Tensor few = scope.allocate(DType.FP32, rows, layer[0] + 8);
                    backend.fill(few, UNTOUCHED);
                    Int8FewRows.multiply(Rows.of(x), 0, rows, part, sums(few), workspace);
                    for (int row = 0; row < rows; row++) {
                        float[] found = few.slice(row, row + 1).toFloats();
                        assertThat(Arrays.copyOf(found, layer[0]))
                                .isEqualTo(many.slice(row, row + 1).toFloats());
                        assertThat(Arrays.copyOfRange(found, layer[0], found.length))
                                .containsOnly(UNTOUCHED);
                    }
                }
            }
        }
        workspace.close();
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    void aWeightTakesAByteAndAnOutputFourMore(DType type) {
        try (Scope scope = Scope.root(new CpuBackend(2), "memory")) {
            Tensor weight = weight(scope, type, new int[] {3072, 768});
            long before = scope.bytes();
            packed(scope, weight);
            assertThat(scope.bytes() - before).isEqualTo(3072 * (768 + 4));
        }
    }

    private static Tensor weight(Scope scope, DType type, int[] layer) {
        return RowBitsTest.filled(scope.allocate(type, layer), new SplittableRandom(5), 0.1);
    }

    private static Tensor packed(Scope scope, Tensor weight) {
        Tensor packed = scope.backend().packInt8(scope, weight);
        boolean ours = packed.storage() instanceof PackedWeight storage
                && storage.pieces().get(0).scales() != null;
        assumeTrue(ours, "on this processor rounded weights lie as others do");
        return packed;
    }

    private static PackedProducts.Sums sums(Tensor tensor) {
        Rows rows = Rows.of(tensor);
        return new PackedProducts.Sums(rows.memory, rows.byteOffset(0, 0), rows.stride());
    }
}
