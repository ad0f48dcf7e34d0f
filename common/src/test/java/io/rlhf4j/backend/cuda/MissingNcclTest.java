package io.rlhf4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.Optional;
import org.junit.jupiter.api.Test;

class MissingNcclTest {
    @Test
    void itIsSaidWhereNcclWasLookedFor() {
        Optional<String> obstacle = DeviceGroup.unusableBecause();
        assumeTrue(obstacle.isPresent(), "this machine has NCCL");
        assertThat(obstacle.orElseThrow())
                .contains("libnccl.so.2", "/usr/local/cuda/lib64/libnccl.so.2")
                .contains("CUDA_HOME", "LD_LIBRARY_PATH");
    }
}
