package io.rlhf4j.backend.nd4j;

import io.rlhf4j.tensor.BackendConformance;
import io.rlhf4j.tensor.Backends;

class NdArrayBackendConformanceTest extends BackendConformance {
    NdArrayBackendConformanceTest() {
        super(Backends.onClassPath().choose("nd4j", 2).backend());
    }
}
