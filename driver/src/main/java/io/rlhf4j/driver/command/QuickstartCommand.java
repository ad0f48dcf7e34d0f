package io.rlhf4j.driver.command;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.driver.pipeline.Pipeline;
import io.rlhf4j.driver.pipeline.StepResult;
import io.rlhf4j.driver.quickstart.Quickstart;
import io.rlhf4j.tensor.Backends;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code rlhf4j quickstart}. */
@Command(
        name = "quickstart",
        description =
                "Trains a small chat model from scratch through all three steps, in minutes, with nothing but this"
                        + " program: a made-up support desk, and a ground truth by which the answers are judged.",
        mixinStandardHelpOptions = true)
final class QuickstartCommand implements Callable<Integer> {
    private final Terminal terminal;
    private final Interrupts interrupts;

    @Option(
            names = "--folder",
            defaultValue = "runs/quickstart",
            paramLabel = "DIR",
            description = "Folder of the run; the same folder goes on with the same run. (${DEFAULT-VALUE})")
    private Path folder;

    @Option(names = "--seed", defaultValue = "0", description = "Seed of data, weights and run. (${DEFAULT-VALUE})")
    private long seed;

    @Option(
            names = "--control",
            description = "Deals scores at random instead of by the reward model: the ground truth should not rise.")
    private boolean control;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "A value above the quickstart's configuration. May be given several times.")
    private List<String> overrides = new ArrayList<>();

    QuickstartCommand(Terminal terminal, Interrupts interrupts) {
        this.terminal = terminal;
        this.interrupts = interrupts;
    }

    @Override
    public Integer call() throws IOException {
        Quickstart quickstart = new Quickstart(folder.toAbsolutePath().normalize(), seed, control);
        RunConfig config = quickstart.config(overrides);
        Backends.Choice backend = Backends.onClassPath()
                .choose(config.compute().backend(), config.cluster().threadsOrShare());
        quickstart.prepare(backend);
        List<StepResult> results =
                new TrainingRun(terminal, interrupts, config).execute("quickstart", config.steps(), Pipeline::runAll);
        terminal.out().print(quickstart.judge(config, results, backend));
        return 0;
    }
}
