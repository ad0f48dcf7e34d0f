package io.rlhf4j.driver.bench;

import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The operations that training and generation are made of, one by one, each with its share of the machine's limit. Bytes that
 * are written count like bytes that are read, although writing costs more: the line {@code copy} shows what that does.
 *
 * @param names of the kernels to measure; empty for all
 */
public record KernelsBench(List<String> names) {
    /** A round is at least so long: a kernel that takes less runs several times in it. */
    private static final double ROUND_SECONDS = 0.05;

    /** The compiler has to have seen a kernel for so long before it is measured. */
    private static final double WARM_SECONDS = 3;

    public KernelsBench {
        names = List.copyOf(names);
    }

    /** Measures all, and tells each as soon as it is done. */
    public void measure(BenchSettings settings, Consumer<Measurement> told) {
        MachineLimits limits = MachineLimits.measure(settings);
        Set<String> known = new LinkedHashSet<>();
        for (Function<KernelOperands, Kernel> maker : kernels()) {
            try (Scope scope = Scope.root(settings.backend(), "kernel")) {
                Kernel kernel = maker.apply(new KernelOperands(scope, settings.type()));
                known.add(kernel.name());
                if (names.isEmpty() || names.contains(kernel.name())) {
                    told.accept(measurement(kernel, settings, limits, seconds(kernel, settings, scope)));
                }
            }
        }
        for (String name : names) {
            if (!known.contains(name)) {
                throw Rlhf4jException.configuration(
                        "there is no kernel '%s'; there are %s".formatted(name, String.join(", ", known)));
            }
        }
    }

    /** What makes each kernel, in the order of the lines. */
    static List<Function<KernelOperands, Kernel>> kernels() {
        return Stream.of(ProductKernels.all(), AttentionKernels.all(), RowKernels.all())
                .flatMap(List::stream)
                .toList();
    }

    private static List<Double> seconds(Kernel kernel, BenchSettings settings, Scope scope) {
        Tensor waited = scope.zeros(DType.FP32, 1);
        double warm = 0;
        double fastest = Double.POSITIVE_INFINITY;
        for (int runs = 0; runs < settings.warmup() || warm < WARM_SECONDS; runs++) {
            double taken = seconds(kernel, 1, waited);
            warm += taken;
            fastest = Math.min(fastest, taken);
        }
        int times = (int) Math.max(1, Math.ceil(ROUND_SECONDS / fastest));
        List<Double> seconds = new ArrayList<>();
        for (int round = 0; round < settings.repeats(); round++) {
            seconds.add(seconds(kernel, times, waited) / times);
        }
        return seconds;
    }

    /** Where the backend works on its own, reading waits until it is done. */
    private static double seconds(Kernel kernel, int times, Tensor waited) {
        long start = System.nanoTime();
        for (int i = 0; i < times; i++) {
            kernel.work().run();
        }
        waited.backend().read(waited, new float[1], 0);
        return (System.nanoTime() - start) * 1e-9;
    }

    static Measurement measurement(Kernel kernel, BenchSettings settings, MachineLimits limits, List<Double> seconds) {
        double median = Measurement.median(seconds);
        double multiplying = kernel.flops() / limits.flopsPerSecond();
        double moving = kernel.bytes() / limits.bytesPerSecond();
        Map<String, Object> more = new LinkedHashMap<>(limits.share(Math.max(multiplying, moving), median));
        more.put("limited_by", multiplying > moving ? "flops" : "memory");
        more.put("gb_per_s", Measurement.rounded(kernel.bytes() / median * 1e-9, 1));
        if (kernel.flops() > 0) {
            more.put("gflops", Measurement.rounded(kernel.flops() / median * 1e-9, 1));
        }
        more.put("step_us", Measurement.rounded(median * 1e6, 1));
        return new Measurement(
                "kernel", kernel.name(), settings.typeName(), kernel.shape(), 0, seconds, settings, more);
    }
}
