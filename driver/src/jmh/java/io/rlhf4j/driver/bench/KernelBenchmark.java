package io.rlhf4j.driver.bench;

import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.Backends;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * The kernels of {@link KernelsBench} under JMH, each in JVMs of its own. Takes JMH's own options, {@code -p type=bf16} and
 * {@code -p number=0,1} among them, and prints a line of JSON for each kernel when all are done.
 */
@State(org.openjdk.jmh.annotations.Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.SECONDS)
public class KernelBenchmark {
    /** Place in the list of all kernels. */
    @Param("0")
    private int number;

    @Param("fp32")
    private String type;

    @Param("cpu")
    private String backend;

    private Scope scope;
    private Kernel kernel;

    /** Makes the kernel's tensors. */
    @Setup
    public void open() {
        int threads = Runtime.getRuntime().availableProcessors();
        scope = Scope.root(Backends.onClassPath().choose(backend, threads).backend(), "kernel");
        kernel = kernel(scope, number, DType.valueOf(type.toUpperCase(Locale.ROOT)));
    }

    @TearDown
    public void close() {
        scope.close();
    }

    @Benchmark
    public void run() {
        kernel.work().run();
    }

    /** Runs JMH and puts its results beside the limits of this machine, which are measured last. */
    public static void main(String... arguments) throws RunnerException, CommandLineOptionException {
        String[] all = IntStream.range(0, KernelsBench.kernels().size())
                .mapToObj(String::valueOf)
                .toArray(String[]::new);
        CommandLineOptions given = new CommandLineOptions(arguments);
        OptionsBuilder options = new OptionsBuilder();
        options.parent(given)
                .include(KernelBenchmark.class.getName())
                .jvmArgsAppend(
                        "--add-modules",
                        "jdk.incubator.vector",
                        "--add-exports",
                        "java.base/jdk.internal.vm.vector=ALL-UNNAMED",
                        "-Xmx2g");
        if (!given.getParameter("number").hasValue()) {
            options.param("number", all);
        }
        for (RunResult result : new Runner(options.build()).run()) {
            print(result);
        }
    }

    private static void print(RunResult result) {
        int threads = Runtime.getRuntime().availableProcessors();
        Backend own = Backends.onClassPath()
                .choose(result.getParams().getParam("backend"), threads)
                .backend();
        DType type = DType.valueOf(result.getParams().getParam("type").toUpperCase(Locale.ROOT));
        BenchSettings settings = new BenchSettings(own, threads, type, 0, 1);
        MachineLimits limits = MachineLimits.measure(settings);
        try (Scope scope = Scope.root(own, "kernel")) {
            Kernel kernel =
                    kernel(scope, Integer.parseInt(result.getParams().getParam("number")), type);
            double seconds = result.getPrimaryResult().getScore();
            System.out.println(KernelsBench.measurement(kernel, settings, limits, List.of(seconds))
                    .json());
        }
    }

    private static Kernel kernel(Scope scope, int number, DType type) {
        return KernelsBench.kernels().get(number).apply(new KernelOperands(scope, type));
    }
}
