package io.rlhf4j.driver.command;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.Step;
import io.rlhf4j.driver.pipeline.RunCheckpoints;
import io.rlhf4j.driver.pipeline.RunCheckpoints.Entry;
import io.rlhf4j.driver.spark.HadoopSettings;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.run.Fence;
import io.rlhf4j.run.lease.HeldLease;
import io.rlhf4j.run.lease.RunLease;
import io.rlhf4j.workers.checkpoint.Checkpoint;
import io.rlhf4j.workers.checkpoint.Retention;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code rlhf4j checkpoint}. */
@Command(name = "checkpoint", description = "Looks after the checkpoints of a run.", mixinStandardHelpOptions = true)
final class CheckpointCommand implements Runnable {
    private final Terminal terminal;

    @Spec
    private CommandSpec spec;

    CheckpointCommand(Terminal terminal, Interrupts interrupts) {
        this.terminal = terminal;
        interrupts.check();
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "list, verify, prune or export is missing");
    }

    @Command(name = "list", description = "Lists the checkpoints.", mixinStandardHelpOptions = true)
    int list(@Mixin RunArgument run) throws IOException {
        print(checkpoints(run, Fence.open()).list(), "");
        return 0;
    }

    @Command(
            name = "verify",
            description = "Reads every byte of the checkpoints and compares it with the hashes of their manifests.",
            mixinStandardHelpOptions = true)
    int verify(@Mixin RunArgument run) throws IOException {
        List<Entry> entries = checkpoints(run, Fence.open()).verify();
        print(entries, "whole");
        return entries.stream().allMatch(entry -> entry.damage().isEmpty()) ? 0 : ErrorKind.DATA.exitCode();
    }

    @Command(
            name = "prune",
            description = "Removes old checkpoints, and the published weights that only they needed.",
            mixinStandardHelpOptions = true)
    int prune(
            @Mixin RunArgument run,
            @Option(
                            names = "--keep",
                            paramLabel = "COUNT",
                            description =
                                    "How many of the newest of a step stay; checkpoints.keep if nothing is given.")
                    Optional<Integer> keep,
            @Option(
                            names = "--keep-every",
                            paramLabel = "N",
                            description =
                                    "Those whose number N divides stay too; checkpoints.keep_every if nothing is given.")
                    Optional<Integer> keepEvery)
            throws IOException {
        Configuration hadoop = HadoopSettings.ofProcess();
        RunConfig config = run.config(hadoop);
        Retention retention = new Retention(
                keep.orElse(config.checkpoints().keep()),
                keepEvery.orElse(config.checkpoints().keepEvery()));
        try (HeldLease lease = new RunLease(
                        run.folder(hadoop), hadoop, config.cluster().leaseExpiry())
                .take(terminal.err()::println, () -> {})) {
            RunCheckpoints checkpoints = checkpoints(run, lease.fence());
            for (Step step : Step.values()) {
                for (long position : checkpoints.prune(step, retention)) {
                    terminal.out().println("removed %s %d".formatted(step.key(), position));
                }
            }
        } catch (InterruptedException interrupted) {
            throw new Rlhf4jException(ErrorKind.INTERRUPTED, "while waiting for the run's lease", interrupted);
        }
        return 0;
    }

    @Command(
            name = "export",
            description =
                    "Writes the model of a checkpoint as a Hugging Face directory; of ppo, a directory for each model.",
            mixinStandardHelpOptions = true)
    int export(
            @Mixin RunArgument run,
            @Option(names = "--step", required = true, description = "${COMPLETION-CANDIDATES}, in small letters too")
                    Step step,
            @Option(
                            names = "--at",
                            paramLabel = "POSITION",
                            description = "Optimizer steps or iterations behind it; the newest if nothing is given.")
                    Optional<Long> position,
            @Option(names = "--to", required = true, paramLabel = "DIR", description = "Where to write; not there yet.")
                    String directory)
            throws IOException {
        Path target = new Path(directory);
        if (target.getFileSystem(HadoopSettings.ofProcess()).exists(target)) {
            throw Rlhf4jException.configuration("--to: '%s' is there already".formatted(directory));
        }
        checkpoints(run, Fence.open()).export(step, position, target).forEach(written -> terminal.out()
                .println(written));
        return 0;
    }

    private RunCheckpoints checkpoints(RunArgument run, Fence fence) throws IOException {
        Configuration hadoop = HadoopSettings.ofProcess();
        return new RunCheckpoints(run.config(hadoop), run.folder(hadoop, fence), hadoop);
    }

    private void print(List<Entry> entries, String whole) {
        TextTable table = new TextTable("step", "position", "epoch", "written", "bytes", "");
        for (Entry entry : entries) {
            Optional<Checkpoint> found = entry.checkpoint();
            table.row(
                    entry.step().key(),
                    entry.position(),
                    found.map(Checkpoint::epoch).map(String::valueOf).orElse(""),
                    found.map(Checkpoint::written).orElse(""),
                    found.map(checkpoint -> "%,d".formatted(checkpoint.bytes())).orElse(""),
                    entry.damage().isEmpty() ? whole : entry.damage());
        }
        terminal.out().print(entries.isEmpty() ? "no checkpoints%n".formatted() : table);
    }
}
