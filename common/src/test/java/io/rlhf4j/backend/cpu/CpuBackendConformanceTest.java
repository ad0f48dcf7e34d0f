package io.rlhf4j.backend.cpu;

import io.rlhf4j.tensor.BackendConformance;

class CpuBackendConformanceTest extends BackendConformance {
    CpuBackendConformanceTest() {
        super(new CpuBackend(2));
    }
}
