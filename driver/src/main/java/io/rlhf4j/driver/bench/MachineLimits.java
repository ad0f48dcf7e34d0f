package io.rlhf4j.driver.bench;

import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import java.util.Map;

/**
 * What this machine gives at best, measured by the process whose work is measured: no work that multiplies so much or reads
 * so much can take less time.
 *
 * @param flopsPerSecond of a product of large square matrices
 * @param bytesPerSecond to and from memory
 */
public record MachineLimits(double flopsPerSecond, double bytesPerSecond) {
    private static final int SMALLEST = 1024;
    private static final int LARGEST = 8192;
    private static final double LONG_ENOUGH = 0.02;
    private static final int LEAST_REPEATS = 4;

    /** So long the fastest of some runs is looked for: the compiler has seen them by then. */
    private static final double LOOKED_SECONDS = 0.3;

    private static final int MOVED_BYTES = 256 << 20;

    /** Measures both. */
    static MachineLimits measure(BenchSettings settings) {
        return new MachineLimits(
                productRate(settings.backend(), settings.type()), memoryRate(settings.backend(), settings.type()));
    }

    /** The fields of a measurement that took {@code seconds} where at best it could have taken {@code least}. */
    Map<String, Object> share(double least, double seconds) {
        return Map.of(
                "matmul_gflops",
                Measurement.rounded(flopsPerSecond * 1e-9, 1),
                "memory_gb_per_s",
                Measurement.rounded(bytesPerSecond * 1e-9, 1),
                "limit_s",
                Measurement.rounded(least, 4),
                "limit_share",
                Measurement.rounded(least / seconds, 3));
    }

    /** Of the largest size whose product takes a moment, or of a smaller one if that is faster. */
    private static double productRate(Backend backend, DType type) {
        double rate = 0;
        for (int size = SMALLEST; ; size *= 2) {
            try (Scope scope = Scope.root(backend, "limit")) {
                Tensor a = filled(scope, type, size, size);
                Tensor b = filled(scope, type, size, size);
                Tensor out = scope.allocate(type, size, size);
                double seconds = best(out, () -> backend.linear(a, b, null, out));
                rate = Math.max(rate, 2.0 * size * size * size / seconds);
                if (seconds >= LONG_ENOUGH || size == LARGEST) {
                    return rate;
                }
            }
        }
    }

    /** The best of three ways: a product of one row, a sum of squares, a copy of one half to the other. */
    private static double memoryRate(Backend backend, DType type) {
        int columns = 2048;
        int rows = MOVED_BYTES / type.bytes() / columns;
        try (Scope scope = Scope.root(backend, "limit")) {
            Tensor weight = filled(scope, type, rows, columns);
            Tensor x = filled(scope, type, 1, columns);
            Tensor out = scope.allocate(type, 1, rows);
            double product = best(out, () -> backend.linear(x, weight, null, out));
            double sum = best(out, () -> backend.sumOfSquares(weight));
            Tensor half = weight.slice(0, rows / 2);
            double copy = best(out, () -> backend.copy(half, weight.slice(rows / 2, rows)));
            return MOVED_BYTES / Math.min(copy, Math.min(product, sum));
        }
    }

    private static Tensor filled(Scope scope, DType type, int... shape) {
        Tensor tensor = scope.allocate(type, shape);
        scope.backend().fill(tensor, 0.5f);
        return tensor;
    }

    /** Seconds of the fastest of some runs; where the backend works on its own, reading a row waits for it. */
    private static double best(Tensor out, Runnable work) {
        float[] row = new float[out.columns()];
        double best = Double.POSITIVE_INFINITY;
        double looked = 0;
        for (int run = 0; run < LEAST_REPEATS || looked < LOOKED_SECONDS; run++) {
            long start = System.nanoTime();
            work.run();
            out.backend().read(out.slice(0, 1), row, 0);
            double seconds = (System.nanoTime() - start) * 1e-9;
            looked += seconds;
            best = Math.min(best, seconds);
        }
        return best;
    }
}
