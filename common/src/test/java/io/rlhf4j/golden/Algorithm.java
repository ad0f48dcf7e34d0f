package io.rlhf4j.golden;

import io.rlhf4j.tensor.Scope;
import java.util.Map;

/** What the product makes of a fixture's inputs: numbers under the names that the fixture expects. */
sealed interface Algorithm {
    /** Plain double-precision code of the host. */
    non-sealed interface Host extends Algorithm {
        Map<String, Object> compute(Fixture fixture);
    }

    /** Operations of a backend, which computes in fp32. */
    non-sealed interface Device extends Algorithm {
        Map<String, Object> compute(Fixture fixture, Scope work);
    }
}
