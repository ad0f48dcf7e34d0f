package io.rlhf4j.hub;

import io.rlhf4j.tensor.Backends;

class NdArrayModelGoldenTest extends ModelGoldenTest {
    NdArrayModelGoldenTest() {
        super(Backends.onClassPath().choose("nd4j", 1).backend());
    }
}
