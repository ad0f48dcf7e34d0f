package io.rlhf4j.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class FewRowsProductTest {
    private static final int K = 192;
    private static final int N = 1100;

    @Test
    void aRowsProductIsTheSameBitForBitWhateverRowsAreBesideItAndOnAnyThreads() {
        float[][] alone = new float[8][];
        for (int threads : new int[] {1, 2, 3}) {
            Backend backend = new CpuBackend(threads);
            try (Scope scope = Scope.root(backend, "test")) {
                Tensor weight = normal(scope, 1, N, K);
                Tensor bias = normal(scope, 2, N);
                Tensor x = normal(scope, 3, 8, K);
                for (int rows = 1; rows <= 8; rows++) {
                    for (int first = 0; first + rows <= 8; first++) {
                        Tensor out = scope.allocate(DType.BF16, rows, N);
                        backend.linear(x.slice(first, first + rows), weight, bias, out);
                        float[] all = out.toFloats();
                        for (int row = 0; row < rows; row++) {
                            float[] own = Arrays.copyOfRange(all, row * N, (row + 1) * N);
                            if (alone[first + row] == null) {
                                alone[first + row] = own;
                            }
                            assertThat(own)
                                    .as("row %d of %d on %d threads", row, rows, threads)
                                    .isEqualTo(alone[first + row]);
                        }
                    }
                }
            }
        }
    }

    private static Tensor normal(Scope scope, long seed, int... shape) {
        Random random = new Random(seed);
        Tensor tensor = scope.allocate(DType.BF16, shape);
        float[] values = new float[Math.toIntExact(tensor.elements())];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        scope.backend().write(tensor, values, 0);
        return tensor;
    }
}
