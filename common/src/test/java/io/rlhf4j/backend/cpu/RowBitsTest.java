package io.rlhf4j.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A row of a forward product is the same bit for bit whatever rows are beside it, in batches that are filled to whole tiles:
 * a rollout's log-probabilities and those of the update that starts from them come from other batches.
 */
class RowBitsTest {
    private static final int TILE = 16;
    private static final int MOST_ROWS = 1296;
    /** Outputs and inputs of layers of SmolLM2-135M and OPT-125m: oneDNN takes other ways for each. */
    private static final int[][] LAYERS = {{576, 576}, {192, 576}, {1536, 576}, {576, 1536}, {768, 3072}};

    @ParameterizedTest
    @EnumSource(DType.class)
    void aRowDoesNotDependOnTheRowsBesideIt(DType type) {
        for (int threads : new int[] {1, 2}) {
            for (int[] layer : LAYERS) {
                check(new CpuBackend(threads), type, layer[0], layer[1]);
            }
        }
    }

    /** Decoding in bf16: samples come and go, and those that stay must not notice. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void aRowTimesAPackedWeightDoesNotDependOnTheRowsBesideItEither(int threads) {
        CpuBackend backend = new CpuBackend(threads);
        SplittableRandom random = new SplittableRandom(4);
        for (int[] layer : LAYERS) {
            try (Scope scope = Scope.root(backend, "rows")) {
                Tensor x = filled(scope.allocate(DType.BF16, MOST_ROWS, layer[1]), random, 1);
                Tensor weight = filled(scope.allocate(DType.BF16, layer[0], layer[1]), random, 0.1);
                Tensor bias = filled(scope.allocate(DType.BF16, layer[0]), random, 1);
                Tensor packed = backend.packWeight(scope, weight);
                assumeTrue(packed != weight, "on this processor no layout of bf16 is faster");
                float[] alone = first(scope, x, packed, bias, 1);
                for (int rows = 2; rows <= MOST_ROWS; rows += 1 + rows / 4) {
                    assertThat(first(scope, x, packed, bias, rows))
                            .as("[%d, %d] of %d rows", layer[0], layer[1], rows)
                            .startsWith(alone);
                }
            }
        }
    }

    private static void check(CpuBackend backend, DType type, int outputs, int inputs) {
        SplittableRandom random = new SplittableRandom(3);
        try (Scope scope = Scope.root(backend, "rows")) {
            Tensor x = filled(scope.allocate(type, MOST_ROWS, inputs), random, 1);
            Tensor weight = filled(scope.allocate(type, outputs, inputs), random, 0.1);
            Tensor bias = filled(scope.allocate(type, outputs), random, 1);
            float[] alone = first(scope, x, weight, bias, TILE);
            for (int rows = 2 * TILE; rows <= MOST_ROWS; rows += 5 * TILE) {
                assertThat(first(scope, x, weight, bias, rows))
                        .as("%s [%d, %d] of %d rows on %s", type, outputs, inputs, rows, backend.name())
                        .isEqualTo(alone);
            }
        }
    }

    /** The first rows, a tile at most, of the product of so many. */
    private static float[] first(Scope scope, Tensor x, Tensor weight, Tensor bias, int rows) {
        try (Scope work = scope.child("product")) {
            Tensor out = work.allocate(x.type(), rows, weight.rows());
            x.backend().linear(x.slice(0, rows), weight, bias, out);
            return Arrays.copyOf(out.toFloats(), Math.min(rows, TILE) * weight.rows());
        }
    }

    static Tensor filled(Tensor tensor, SplittableRandom random, double width) {
        float[] values = new float[Math.toIntExact(tensor.elements())];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (width * (random.nextDouble() - 0.5));
        }
        tensor.backend().write(tensor, values, 0);
        return tensor;
    }
}
