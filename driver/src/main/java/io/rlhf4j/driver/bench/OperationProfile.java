package io.rlhf4j.driver.bench;

import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.LanguageHead;
import io.rlhf4j.tensor.Tensor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Where the time of the measured rounds goes: it stands between a model and its backend and counts the calls and the time of
 * each operation, matrix products by their shape. Only for backends whose operations are done when they return.
 */
public final class OperationProfile {
    private final Map<String, Entry> entries = new ConcurrentHashMap<>();
    private volatile boolean counting;

    private record Entry(AtomicLong calls, AtomicLong nanos, double flops) {}

    /** The same backend, watched. */
    Backend watching(Backend backend) {
        return (Backend) Proxy.newProxyInstance(
                Backend.class.getClassLoader(), new Class<?>[] {Backend.class}, (proxy, method, arguments) -> {
                    long start = System.nanoTime();
                    try {
                        return method.invoke(backend, arguments);
                    } catch (InvocationTargetException failed) {
                        throw failed.getCause();
                    } finally {
                        if (counting) {
                            count(method, arguments, System.nanoTime() - start);
                        }
                    }
                });
    }

    /** Begins to count; what was counted before is forgotten. */
    void begin() {
        entries.clear();
        counting = true;
    }

    /** Ends counting. */
    void end() {
        counting = false;
    }

    private void count(Method method, Object[] arguments, long nanos) {
        long[] product = product(method.getName(), arguments);
        String name = product == null
                ? method.getName()
                : "%s %dx%dx%d".formatted(method.getName(), product[0], product[1], product[2]);
        double flops = product == null ? 0 : 2.0 * product[0] * product[1] * product[2];
        Entry entry = entries.computeIfAbsent(name, none -> new Entry(new AtomicLong(), new AtomicLong(), flops));
        entry.calls.incrementAndGet();
        entry.nanos.addAndGet(nanos);
    }

    /** Rows, length of the sums and columns of a matrix product; null where an operation is none. */
    private static long[] product(String operation, Object... arguments) {
        switch (operation) {
            case "matmul": {
                Tensor a = (Tensor) arguments[0];
                Tensor out = (Tensor) arguments[4];
                return new long[] {out.rows(), (boolean) arguments[1] ? a.rows() : a.columns(), out.columns()};
            }
            case "linear": {
                Tensor x = (Tensor) arguments[0];
                // With or without an activation and a residual, the result comes last.
                Tensor out = (Tensor) arguments[arguments.length - 1];
                return new long[] {x.rows(), x.columns(), out.columns()};
            }
            case "logits": {
                Tensor hidden = (Tensor) arguments[1];
                return new long[] {
                    hidden.rows(),
                    hidden.columns(),
                    ((LanguageHead) arguments[0]).weight().rows()
                };
            }
            default:
                return null;
        }
    }

    /**
     * A line for each operation, the longest first, and what is left for all that is none.
     *
     * @param rounds that were counted
     * @param roundSeconds of one of them, on average
     */
    public List<Map<String, Object>> lines(int rounds, double roundSeconds) {
        List<Map<String, Object>> lines = new ArrayList<>();
        double rest = roundSeconds;
        List<Map.Entry<String, Entry>> sorted = entries.entrySet().stream()
                .sorted(Comparator.comparingLong((Map.Entry<String, Entry> each) ->
                                each.getValue().nanos.get())
                        .reversed())
                .toList();
        for (Map.Entry<String, Entry> each : sorted) {
            double seconds = each.getValue().nanos.get() * 1e-9 / rounds;
            rest -= seconds;
            Map<String, Object> line = line(each.getKey(), seconds, roundSeconds);
            line.put("calls", each.getValue().calls.get() / rounds);
            if (each.getValue().flops > 0) {
                double all = each.getValue().flops * each.getValue().calls.get() / rounds;
                line.put("gflops", Measurement.rounded(all / seconds * 1e-9, 1));
            }
            lines.add(line);
        }
        lines.add(line("outside operations", rest, roundSeconds));
        return lines;
    }

    private static Map<String, Object> line(String operation, double seconds, double roundSeconds) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("task", "profile");
        line.put("operation", operation);
        line.put("ms", Measurement.rounded(seconds * 1e3, 2));
        line.put("share", Measurement.rounded(seconds / roundSeconds, 4));
        return line;
    }
}
