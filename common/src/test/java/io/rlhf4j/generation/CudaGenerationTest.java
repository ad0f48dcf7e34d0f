package io.rlhf4j.generation;

import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.Devices;
import org.junit.jupiter.api.BeforeAll;

class CudaGenerationTest extends GenerationTest {
    private static Backend device;

    @BeforeAll
    static void onlyWithADevice() {
        device = Devices.cuda();
    }

    @Override
    Backend backend() {
        return device;
    }
}
