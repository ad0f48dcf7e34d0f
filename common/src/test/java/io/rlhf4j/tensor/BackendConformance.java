package io.rlhf4j.tensor;

import org.junit.jupiter.api.TestInstance;

/**
 * The tests that every backend passes: each operation of {@link Backend}, forward and backward, in fp32 and bf16,
 * against naive double-precision references ({@link Reference}), gradients against their finite differences. A backend
 * has one test class that extends this one.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class BackendConformance
        implements MemoryConformance,
                ProductConformance,
                PointwiseConformance,
                NormConformance,
                RowConformance,
                AttentionConformance,
                CachedAttentionConformance,
                LanguageHeadConformance,
                TokenDrawConformance,
                OptimizerConformance,
                RepeatabilityConformance,
                RepeatedPassConformance {
    private final Backend backend;

    protected BackendConformance(Backend backend) {
        this.backend = backend;
    }

    @Override
    public final Backend backend() {
        return backend;
    }
}
