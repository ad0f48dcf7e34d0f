package io.rlhf4j.driver.command;

import io.rlhf4j.driver.bench.BenchModel;
import io.rlhf4j.driver.bench.BenchSettings;
import io.rlhf4j.driver.bench.CollectivesBench;
import io.rlhf4j.driver.bench.GenerateBench;
import io.rlhf4j.driver.bench.KernelsBench;
import io.rlhf4j.driver.bench.Measurement;
import io.rlhf4j.driver.bench.OptimizerBench;
import io.rlhf4j.driver.bench.PpoBench;
import io.rlhf4j.driver.bench.ScalingBench;
import io.rlhf4j.driver.bench.SwitchBench;
import io.rlhf4j.driver.bench.TrainBench;
import io.rlhf4j.driver.scaling.Cluster;
import io.rlhf4j.driver.scaling.ClusterTables;
import io.rlhf4j.model.DecodingWeights;
import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.Backends;
import io.rlhf4j.tensor.DType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code rlhf4j bench}. */
@Command(
        name = "bench",
        description =
                "Measures training, generation, PPO, kernels and collectives on this machine; each measurement is a line of"
                        + " JSON.",
        mixinStandardHelpOptions = true)
final class BenchCommand {
    private final Terminal terminal;

    BenchCommand(Terminal terminal, Interrupts interrupts) {
        this.terminal = terminal;
        // Nothing is committed that a slow end could save.
        interrupts.onStop(() -> Runtime.getRuntime().halt(130));
    }

    /** What all measurements have in common. */
    static final class Common {
        @Option(
                names = "--model",
                defaultValue = "opt-125m",
                paramLabel = "NAME",
                description =
                        "opt-125m, opt-1.3b, llama-160m, llama-160m-gqa, tiny, or a model folder. (${DEFAULT-VALUE})")
        private String model;

        @Option(
                names = "--dtype",
                defaultValue = "fp32",
                paramLabel = "TYPE",
                description = "fp32, or bf16: training then keeps fp32 masters and moments. (${DEFAULT-VALUE})")
        private DType type;

        @Option(names = "--backend", defaultValue = Backends.AUTO, paramLabel = "NAME", description = "Backend.")
        private String backend;

        @Option(names = "--threads", defaultValue = "0", paramLabel = "N", description = "Threads; 0 for all cores.")
        private int threads;

        @Option(names = "--warmup", defaultValue = "1", paramLabel = "N", description = "Rounds before.")
        private int warmup;

        @Option(names = "--repeats", defaultValue = "3", paramLabel = "N", description = "Rounds measured.")
        private int repeats;

        @Option(
                names = "--profile",
                description = "A line for each operation of the backend follows: its share of a round of training,"
                        + " generation or PPO, without others in turn.")
        private boolean profiled;

        private BenchModel shape() {
            return new BenchModel(model);
        }

        private Backend ofOneThread() {
            return Backends.onClassPath().choose(backend, 1).backend();
        }

        private BenchSettings settings(Terminal terminal) {
            int all = threads > 0 ? threads : Runtime.getRuntime().availableProcessors();
            Backends.Choice choice = Backends.onClassPath().choose(backend, all);
            if (!choice.note().isEmpty()) {
                terminal.err().println("note: " + choice.note());
            }
            BenchSettings settings = new BenchSettings(choice.backend(), all, type, warmup, repeats);
            return profiled ? settings.profiled() : settings;
        }
    }

    @Command(
            name = "train",
            description = "One step: forward, backward, clipping, AdamW.",
            mixinStandardHelpOptions = true)
    int train(
            @Mixin Common common,
            @Option(names = "--batch", defaultValue = "4", description = "Rows. (${DEFAULT-VALUE})") int batch,
            @Option(names = "--seq", defaultValue = "256", description = "Tokens of a row. (${DEFAULT-VALUE})")
                    int length,
            @Option(names = "--mixed", description = "Rows of 16 to SEQ tokens.") boolean mixed,
            @Mixin PeerOptions peers)
            throws IOException, InterruptedException {
        TrainBench bench = new TrainBench(batch, length, mixed);
        BenchSettings settings = common.settings(terminal);
        return peers.print(
                terminal, () -> bench.measure(common.shape(), settings), bench.peers(common.shape(), settings));
    }

    @Command(
            name = "optimizer",
            description = "What the optimizer takes of a step; tokens are parameters here.",
            mixinStandardHelpOptions = true)
    int optimizer(
            @Mixin Common common,
            @Option(
                            names = "--states-on",
                            paramLabel = "FOLDER",
                            description = "Where its states lie on disk; in memory when absent.")
                    Path folder)
            throws IOException {
        return print(
                new OptimizerBench(Optional.ofNullable(folder)).measure(common.shape(), common.settings(terminal)));
    }

    @Command(name = "generate", description = "Answers of a given length, sampled.", mixinStandardHelpOptions = true)
    int generate(
            @Mixin Common common,
            @Option(names = "--batch", defaultValue = "8", description = "Prompts at once. (${DEFAULT-VALUE})")
                    int batch,
            @Option(names = "--prompt", defaultValue = "256", description = "Tokens of a prompt. (${DEFAULT-VALUE})")
                    int prompt,
            @Option(names = "--new", defaultValue = "256", description = "Tokens of an answer. (${DEFAULT-VALUE})")
                    int newTokens,
            @Option(names = "--mixed", description = "Answers of 8 to NEW tokens.") boolean mixed,
            @Option(
                            names = "--weights",
                            defaultValue = "packed",
                            paramLabel = "FORM",
                            description = "How weights are read: packed, int8 or plain. (${DEFAULT-VALUE})")
                    DecodingWeights weights,
            @Mixin PeerOptions peers)
            throws IOException, InterruptedException {
        GenerateBench bench = new GenerateBench(batch, prompt, newTokens, mixed, weights);
        BenchSettings settings = common.settings(terminal);
        return peers.print(
                terminal, () -> bench.measure(common.shape(), settings), bench.peers(common.shape(), settings));
    }

    @Command(
            name = "ppo",
            description = "An iteration: answers of a fixed length, scores, a step of actor and critic.",
            mixinStandardHelpOptions = true)
    int ppo(
            @Mixin Common common,
            @Option(names = "--batch", defaultValue = "8", description = "Prompts. (${DEFAULT-VALUE})") int batch,
            @Option(names = "--prompt", defaultValue = "128", description = "Tokens of a prompt. (${DEFAULT-VALUE})")
                    int prompt,
            @Option(names = "--new", defaultValue = "128", description = "Tokens of an answer. (${DEFAULT-VALUE})")
                    int newTokens,
            @Option(
                            names = "--critic-model",
                            paramLabel = "MODEL",
                            description =
                                    "Shape or folder of critic and reward model; without it, the actor's. Scripts of"
                                            + " --peers know one shape alone.")
                    String critic,
            @Option(
                            names = "--micro-batch-tokens",
                            paramLabel = "TOKENS",
                            description = "Tokens that a model takes at once; all when absent.")
                    Integer microBatchTokens,
            @Option(
                            names = "--states-on",
                            paramLabel = "FOLDER",
                            description = "Local folder where the optimizers' states lie; without it, in memory.")
                    Path statesOnDisk,
            @Mixin PeerOptions peers,
            @Mixin PpoPeerOptions others)
            throws IOException, InterruptedException {
        PpoBench bench = new PpoBench(
                batch,
                prompt,
                newTokens,
                Optional.ofNullable(critic).map(BenchModel::new),
                Optional.ofNullable(microBatchTokens),
                Optional.ofNullable(statesOnDisk));
        BenchSettings settings = common.settings(terminal);
        return peers.print(
                terminal,
                () -> bench.measure(common.shape(), settings),
                others.scripts(bench, common.shape(), settings));
    }

    @Command(
            name = "switch",
            description =
                    "What it costs to go from training to generation and back, as share of a PPO iteration, which is"
                            + " measured first.",
            mixinStandardHelpOptions = true)
    int change(
            @Mixin Common common,
            @Option(names = "--batch", defaultValue = "8", description = "Prompts. (${DEFAULT-VALUE})") int batch,
            @Option(names = "--prompt", defaultValue = "128", description = "Tokens of a prompt. (${DEFAULT-VALUE})")
                    int prompt,
            @Option(names = "--new", defaultValue = "128", description = "Tokens of an answer. (${DEFAULT-VALUE})")
                    int newTokens)
            throws IOException {
        BenchSettings settings = common.settings(terminal);
        Measurement iteration = new PpoBench(
                        batch, prompt, newTokens, Optional.empty(), Optional.empty(), Optional.empty())
                .measure(common.shape(), settings);
        print(iteration);
        return print(
                new SwitchBench(batch, prompt, newTokens).measure(common.shape(), settings, iteration.medianSeconds()));
    }

    @Command(
            name = "collectives",
            description = {
                "What ranks exchange, over sockets of this machine: bytes sent by all ranks in a second, beside a"
                        + " plain copy of as many bytes over a socket. All of bf16 is the wire's: sums of fp32 tensors"
                        + " that are sent as bf16."
            },
            mixinStandardHelpOptions = true)
    int collectives(
            @Mixin Common common,
            @Option(names = "--ranks", defaultValue = "2", description = "Ranks, each a thread. (${DEFAULT-VALUE})")
                    int ranks,
            @Option(
                            names = "--sizes",
                            split = ",",
                            defaultValue = "1,16,64",
                            paramLabel = "MIB",
                            description = "Sizes of the tensor in MiB. (${DEFAULT-VALUE})")
                    List<Integer> sizes)
            throws IOException {
        BenchSettings settings = common.settings(terminal);
        for (int size : sizes) {
            new CollectivesBench(ranks, size, settings.type()).measure(settings).forEach(this::print);
        }
        return 0;
    }

    @Command(
            name = "scaling",
            description = {
                "The time of a step as formulas predict it, beside the one that ranks of one thread take on this"
                        + " machine, over its sockets. First come the constants that the formulas are given."
            },
            mixinStandardHelpOptions = true)
    int scaling(
            @Mixin Common common,
            @Option(names = "--batch", defaultValue = "8", description = "Rows of a rank. (${DEFAULT-VALUE})")
                    int batch,
            @Option(names = "--seq", defaultValue = "128", description = "Tokens of a row. (${DEFAULT-VALUE})")
                    int length,
            @Option(
                            names = "--ranks",
                            split = ",",
                            defaultValue = "1,2,3,4",
                            paramLabel = "N",
                            description = "Numbers of ranks. (${DEFAULT-VALUE})")
                    List<Integer> ranks,
            @Option(
                            names = "--stages",
                            split = ",",
                            defaultValue = "1,2,3",
                            paramLabel = "STAGE",
                            description = "Of ZeRO. (${DEFAULT-VALUE})")
                    List<Integer> stages)
            throws IOException {
        new ScalingBench(batch, length, ranks, stages)
                .measure(common.shape(), common::ofOneThread, common.settings(terminal), this::print);
        return 0;
    }

    @Command(
            name = "clusters",
            description = "Steps, iterations and failures on 8 to 512 GPUs, as the same formulas tell them: the tables"
                    + " of docs/scaling.md. Nothing is measured.",
            mixinStandardHelpOptions = true)
    int clusters() {
        terminal.out().print(ClusterTables.text(Cluster.H100));
        return 0;
    }

    @Command(
            name = "kernels",
            description =
                    "The operations of a backend one by one, each with its share of the machine's limit; its shapes are"
                            + " those of opt-125m.",
            mixinStandardHelpOptions = true)
    int kernels(
            @Mixin Common common,
            @Option(
                            names = "--kernel",
                            paramLabel = "NAME",
                            description = "Only these; may be given several times. All when absent.")
                    List<String> names) {
        new KernelsBench(names == null ? List.of() : names).measure(common.settings(terminal), this::print);
        return 0;
    }

    private int print(Measurement measurement) {
        terminal.out().println(measurement.json());
        return 0;
    }
}
