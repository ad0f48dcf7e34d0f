package io.rlhf4j.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A prompt's rows may take another way through a weight than a single row; their bits must not tell. */
class WidenedProductTest {
    @ParameterizedTest
    @CsvSource({"128, 64, 64", "150, 200, 96", "518, 640, 1024"})
    void itHasTheBitsOfARowAlone(int rows, int outputs, int inputs) {
        CpuBackend backend = new CpuBackend(1);
        SplittableRandom random = new SplittableRandom(5);
        try (Scope scope = Scope.root(backend, "many rows")) {
            Tensor xBf16 = RowBitsTest.filled(scope.allocate(DType.BF16, rows, inputs), random, 1);
            Tensor x = scope.allocate(DType.FP32, rows, inputs);
            backend.copy(xBf16, x);
            Tensor packed = backend.packWeight(
                    scope, RowBitsTest.filled(scope.allocate(DType.BF16, outputs, inputs), random, 0.1));
            assumeTrue(packed.storage() instanceof PackedWeight, "this processor packs no bf16");
            PackedWeight.Part part =
                    ((PackedWeight) packed.storage()).pieces().get(0).parts().get(0);
            assumeTrue(WidenedProduct.suits(rows, part), "this processor has other layouts");
            OneDnn oneDnn = new OneDnn();
            MemoryPool memories = new MemoryPool(new NativeCalls(oneDnn.library()), MemoryBudget.OF_THIS_PROCESS);
            Workspace workspace = new Workspace(memories, oneDnn);
            Tensor all = scope.allocate(DType.FP32, rows, outputs);
            Rows out = Rows.of(all);
            PackedProducts.Sums sums = new PackedProducts.Sums(out.memory, out.byteOffset(0, 0), out.stride());
            WidenedProduct.multiply(Rows.of(x), 0, rows, part, sums, workspace);
            workspace.close();
            for (int row = 0; row < rows; row += 7) {
                Tensor alone = scope.allocate(DType.FP32, 1, outputs);
                backend.linear(xBf16.slice(row, row + 1), packed, null, alone);
                assertThat(all.slice(row, row + 1).toFloats()).as("row %d", row).isEqualTo(alone.toFloats());
            }
        }
    }
}
