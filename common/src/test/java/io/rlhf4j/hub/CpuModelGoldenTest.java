package io.rlhf4j.hub;

import io.rlhf4j.backend.cpu.CpuBackend;

class CpuModelGoldenTest extends ModelGoldenTest {
    CpuModelGoldenTest() {
        super(new CpuBackend(2));
    }
}
