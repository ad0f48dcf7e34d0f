package io.rlhf4j.backend.cuda;

import io.rlhf4j.tensor.BackendConformance;
import io.rlhf4j.tensor.Devices;

class CudaBackendConformanceTest extends BackendConformance {
    CudaBackendConformanceTest() {
        super(Devices.cuda());
    }
}
