package io.rlhf4j.backend.nd4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.Backends;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;

class NdMemoryTest {
    /** 60 products with 8 MiB of temporaries each: the garbage collector sees no reason to run. */
    @Test
    void temporariesDoNotPileUp() {
        Backend backend = Backends.onClassPath().choose("nd4j", 2).backend();
        try (Scope scope = Scope.root(backend, "test")) {
            Tensor a = scope.zeros(DType.BF16, 1024, 16);
            Tensor b = scope.zeros(DType.BF16, 16, 1024);
            Tensor out = scope.zeros(DType.BF16, 1024, 1024);
            for (int warmUp = 0; warmUp < 5; warmUp++) {
                backend.matmul(a, false, b, false, out, true);
            }
            long before = Pointer.physicalBytes();
            for (int i = 0; i < 60; i++) {
                backend.matmul(a, false, b, false, out, true);
            }
            assertThat(Pointer.physicalBytes() - before).isLessThan(160L << 20);
        }
    }
}
