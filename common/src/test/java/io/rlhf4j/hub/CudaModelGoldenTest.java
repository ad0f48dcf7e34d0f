package io.rlhf4j.hub;

import io.rlhf4j.tensor.Devices;

class CudaModelGoldenTest extends ModelGoldenTest {
    CudaModelGoldenTest() {
        super(Devices.cuda());
    }
}
