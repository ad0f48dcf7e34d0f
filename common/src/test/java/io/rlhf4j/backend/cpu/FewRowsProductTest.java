package io.rlhf4j.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A sample that is alone may take another way through a weight than one in company; its bits must not tell. */
class FewRowsProductTest {
    private static final int GUARD = 8;
    private static final float UNTOUCHED = 77f;

    @ParameterizedTest
    @CsvSource({"1, 64, 64", "2, 3072, 768", "1, 200, 72", "2, 1536, 577", "3, 1000, 1024"})
    void itHasTheBitsOfOneDnn(int rows, int outputs, int inputs) {
        CpuBackend backend = new CpuBackend(1);
        SplittableRandom random = new SplittableRandom(9);
        try (Scope scope = Scope.root(backend, "few rows")) {
            Tensor x = RowBitsTest.filled(scope.allocate(DType.FP32, rows, inputs), random, 1);
            Tensor xBf16 = scope.allocate(DType.BF16, rows, inputs);
            backend.copy(x, xBf16);
            backend.copy(xBf16, x);
            Tensor packed = backend.packWeight(
                    scope, RowBitsTest.filled(scope.allocate(DType.BF16, outputs, inputs), random, 0.1));
            assumeTrue(packed.storage() instanceof PackedWeight, "this processor packs no bf16");
            PackedWeight weight = (PackedWeight) packed.storage();
            PackedWeight.Part part = weight.pieces().get(0).parts().get(0);
            assumeTrue(FewRowsProduct.fits(part), "this processor has another layout");
            Tensor theirs = scope.allocate(DType.FP32, rows, outputs);
            backend.linear(xBf16, packed, null, theirs);
            Tensor ours = scope.allocate(DType.FP32, rows, outputs + GUARD);
            backend.fill(ours, UNTOUCHED);

            OneDnn oneDnn = new OneDnn();
            MemoryPool memories = new MemoryPool(new NativeCalls(oneDnn.library()), MemoryBudget.OF_THIS_PROCESS);
            Workspace workspace = new Workspace(memories, oneDnn);
            Rows out = Rows.of(ours);
            PackedProducts.Sums sums = new PackedProducts.Sums(out.memory, out.byteOffset(0, 0), out.stride());
            FewRowsProduct.multiply(Rows.of(x), 0, rows, part, sums, workspace);
            workspace.close();

            for (int row = 0; row < rows; row++) {
                float[] expected = theirs.slice(row, row + 1).toFloats();
                float[] actual = ours.slice(row, row + 1).toFloats();
                assertThat(actual).startsWith(expected);
                for (int i = outputs; i < outputs + GUARD; i++) {
                    assertThat(actual[i]).as("behind the row").isEqualTo(UNTOUCHED);
                }
            }
        }
    }
}
