package io.rlhf4j.driver.bench;

import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.DType;
import java.util.Locale;
import java.util.Optional;

/**
 * How to measure.
 *
 * @param backend what computes
 * @param threads that it may use
 * @param type of weights and arithmetic
 * @param warmup rounds before the measured ones, the first of which is slower than all others
 * @param repeats rounds measured
 * @param profile that watches the backend in the rounds measured, if one is wanted
 */
public record BenchSettings(
        Backend backend, int threads, DType type, int warmup, int repeats, Optional<OperationProfile> profile) {
    /** Without a profile. */
    public BenchSettings(Backend backend, int threads, DType type, int warmup, int repeats) {
        this(backend, threads, type, warmup, repeats, Optional.empty());
    }

    /** The same with a profile of the backend's operations. */
    public BenchSettings profiled() {
        OperationProfile watcher = new OperationProfile();
        return new BenchSettings(watcher.watching(backend), threads, type, warmup, repeats, Optional.of(watcher));
    }

    /** What the type of weights and arithmetic is called. */
    String typeName() {
        return type.name().toLowerCase(Locale.ROOT);
    }

    /** What training in {@link #type} is called: {@code master} is bf16 with fp32 master weights and moments. */
    String trainingType() {
        return type == DType.BF16 ? "master" : "fp32";
    }
}
